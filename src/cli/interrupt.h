// Ctrl-C.
#ifndef KDEQUANT_CLI_INTERRUPT_H_
#define KDEQUANT_CLI_INTERRUPT_H_

namespace kdequant {

/// From now on the first SIGINT or SIGTERM asks to stop between two steps of a job; the second one kills as usual.
void CatchInterrupts();

/// Whether somebody asked to stop.
bool Interrupted();

}  // namespace kdequant

#endif  // KDEQUANT_CLI_INTERRUPT_H_
