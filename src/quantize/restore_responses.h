// kdequant/quantize/restore_responses.h
// Channels that answer to what they look for as they did before they were quantized.
#ifndef KDEQUANT_QUANTIZE_RESTORE_RESPONSES_H_
#define KDEQUANT_QUANTIZE_RESTORE_RESPONSES_H_

#include <span>

#include "kdequant/compensation/response.h"
#include "kdequant/model/tensor.h"

namespace kdequant {

/// Multiplies every channel's scale with the gain of its response (`responses`, one an output channel); where there are
/// no scales, the step of each table with the gain of all its channels. Rounded as they are stored.
void RestoreResponses(std::span<const Response> responses, CodebookTensor& tensor);

/// The same for a layer that was quantized whole, not run by run: `weights` are what `tensor` was made of,
/// `nonnegative` says that the layer's inputs are never negative.
void RestoreResponses(std::span<const float> weights, bool nonnegative, CodebookTensor& tensor);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_RESTORE_RESPONSES_H_
