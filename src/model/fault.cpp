#include "fault.h"

namespace kdequant::model {

std::string Quoted(std::string_view name) {
  constexpr std::size_t kReadable = 200;
  if (name.size() <= kReadable) return "\"" + std::string(name) + "\"";
  return "\"" + std::string(name.substr(0, kReadable)) + "...\"";
}

std::unexpected<Error> Fault(ErrorCode code, const Node& node, std::string_view text) {
  return Fail(code,
              "layer " + Quoted(node.name) + " (" + std::string(OperatorName(node.op)) + "): " + std::string(text),
              node.name);
}

}  // namespace kdequant::model
