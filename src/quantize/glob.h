// Shell-style patterns over layer names.
#ifndef KDEQUANT_QUANTIZE_GLOB_H_
#define KDEQUANT_QUANTIZE_GLOB_H_

#include <string_view>

namespace kdequant {

/// Whether the whole text matches: * is any run of characters, ? is one.
bool GlobMatches(std::string_view pattern, std::string_view text);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_GLOB_H_
