#include "job_runner.h"

#include <cstdio>
#include <string>

#include "interrupt.h"
#include "terminal.h"

namespace kdequant {
namespace {

constexpr double kStepMilliseconds = 100;
constexpr int kBarWidth = 24;
constexpr std::size_t kLineWidth = 79;

void ShowProgress(const Progress& progress) {
  const bool utf8 = LocaleIsUtf8();
  const std::string bar = Bar(progress.fraction, kBarWidth, utf8);
  const auto filled = static_cast<std::size_t>(progress.fraction * kBarWidth + (utf8 ? 0.999 : 0.5));
  std::string rest = Fixed(100 * progress.fraction, 0) + " %  " + progress.stage +
                     (progress.layer.empty() ? "" : ": " + progress.layer);
  const std::size_t room = kLineWidth - kBarWidth - 2;
  if (rest.size() > room) rest.resize(room);
  const std::string padding(filled < kBarWidth ? kBarWidth - filled : 0, ' ');
  std::fprintf(stderr, "\r\033[K%s%s  %s", bar.c_str(), padding.c_str(), rest.c_str());
  std::fflush(stderr);
}

}  // namespace

Result<void> RunJob(Job& job) {
  const bool watched = StandardErrorIsTerminal();
  while (true) {
    if (Interrupted()) {
      if (watched) std::fputs("\r\033[K", stderr);
      return Fail(ErrorCode::kCancelled, "cancelled; nothing was written");
    }
    auto done = job.Step(kStepMilliseconds);
    if (watched && (!done || *done)) std::fputs("\r\033[K", stderr);
    if (!done) return Forward(done);
    if (*done) return {};
    if (watched) ShowProgress(job.progress());
  }
}

}  // namespace kdequant
