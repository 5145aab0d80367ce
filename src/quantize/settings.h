// The options of a quantization as they are written into the file's metadata.
#ifndef KDEQUANT_QUANTIZE_SETTINGS_H_
#define KDEQUANT_QUANTIZE_SETTINGS_H_

#include <string>

#include "kdequant/quantize/quantize.h"

namespace kdequant {

/// One JSON object with the names of the command line.
std::string SettingsToJson(const QuantizeOptions& options);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_SETTINGS_H_
