// The kdequant command: which verb, and what goes wrong before there is one.

#include <CLI/CLI.hpp>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "common_options.h"
#include "failure.h"
#include "interrupt.h"
#include "kdequant/quantize/quantize.h"

namespace kdequant {
namespace {

constexpr const char* kDescription =
    "Turns a float convolutional network (ONNX) into a 4-bit network by kernel density estimation, runs it, and says "
    "how good it is.";

constexpr const char* kExamples = R"(Examples:
  kdequant quantize model.onnx -o small.onnx      a 4-bit network from a float one
  kdequant classify small.onnx cat.jpg dog.png    what is in these pictures?
  kdequant eval small.onnx --reference model.onnx --images photos --labels photos/labels.csv
  kdequant inspect small.onnx                     its layers, bits and bytes
  kdequant VERB --help                            everything about a verb

Exit codes: 0 done, 2 wrong usage, 3 bad input, 4 limit or memory, 5 cannot write, 130 cancelled.)";

std::string VerbAt(int argc, char** argv) {
  return argc > 1 && argv[1][0] != '-' ? " " + std::string(argv[1]) : std::string();
}

ExitCode Main(int argc, char** argv) {
  CLI::App app(kDescription, "kdequant");
  app.set_version_flag("--version", std::string(Version()), "The version");
  app.require_subcommand(1);
  app.footer(kExamples);
  Run run;
  AddQuantize(app, run);
  AddClassify(app, run);
  AddEval(app, run);
  AddInspect(app, run);
  AddLogits(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    app.exit(wanted);
    return kExitDone;
  } catch (const CLI::ParseError& wrong) {
    bool json = false;
    for (int i = 1; i < argc; ++i) json = json || std::strcmp(argv[i], "--json") == 0;
    const bool known = app.get_subcommands().size() == 1;
    return ReportFailure({ErrorCode::kUsage,
                          std::string(wrong.what()) + "; see kdequant" + (known ? VerbAt(argc, argv) : "") + " --help",
                          {}},
                         json);
  }
  CatchInterrupts();
  return run();
}

}  // namespace
}  // namespace kdequant

int main(int argc, char** argv) {
  using kdequant::ErrorCode;
  // Containers of the library report a refused allocation by this exception; nothing else throws.
  try {
    return kdequant::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    return kdequant::ReportFailure({ErrorCode::kOutOfMemory, "not enough memory for this", {}}, false);
  } catch (const std::exception& unexpected) {
    return kdequant::ReportFailure(
        {ErrorCode::kInternal, std::string("this is a mistake of kdequant's: ") + unexpected.what(), {}}, false);
  }
}
