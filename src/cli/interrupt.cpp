#include "interrupt.h"

#include <csignal>

namespace kdequant {
namespace {

// The one global variable of the project: a signal handler has nothing else to write to.
volatile std::sig_atomic_t interrupted = 0;

void Remember(int /*signal*/) { interrupted = 1; }

}  // namespace

void CatchInterrupts() {
  struct sigaction action{};
  action.sa_handler = Remember;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

}  // namespace kdequant
