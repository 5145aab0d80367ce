#include "restore_responses.h"

#include <cstddef>
#include <vector>

#include "kdequant/base/half.h"
#include "kdequant/codebook/integer_levels.h"

namespace kdequant {

void RestoreResponses(std::span<const Response> responses, CodebookTensor& tensor) {
  if (!tensor.scales.empty()) {
    for (std::size_t o = 0; o < tensor.scales.size(); ++o)
      tensor.scales[o] = RoundToHalf(static_cast<float>(static_cast<double>(tensor.scales[o]) * responses[o].Gain()));
    return;
  }
  const std::size_t channels = responses.size() / tensor.TableCount();
  for (std::size_t t = 0; t < tensor.TableCount(); ++t) {
    Response response;
    for (const Response& channel : responses.subspan(t * channels, channels)) response.Add(channel);
    tensor.steps[t] = RoundToStep(static_cast<double>(tensor.steps[t]) * response.Gain());
  }
}

void RestoreResponses(std::span<const float> weights, bool nonnegative, CodebookTensor& tensor) {
  std::vector<Response> responses(static_cast<std::size_t>(tensor.shape[0]));
  const std::size_t columns = weights.size() / responses.size();
  std::vector<float> quantized(columns);
  for (std::size_t o = 0; o < responses.size(); ++o) {
    DequantizeChannel(tensor, o, quantized);
    responses[o].Add(weights.subspan(o * columns, columns), quantized, nonnegative);
  }
  RestoreResponses(responses, tensor);
}

}  // namespace kdequant
