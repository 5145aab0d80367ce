// Checksums (64-bit FNV-1a) of random pictures resized by Pillow 13.0.0; written by tools/golden_resize.py.
#ifndef KDEQUANT_TESTS_VISION_RESIZE_GOLDEN_H_
#define KDEQUANT_TESTS_VISION_RESIZE_GOLDEN_H_

#include <cstdint>

namespace kdequant {

struct ResizeGolden {
  int width, height, new_width, new_height;
  std::uint64_t checksum;
};

inline constexpr ResizeGolden kResizeGolden[] = {
    {1, 1, 1, 1, 0x10a40417f9ff84f3U},         {1, 1, 5, 3, 0xfe539e07aa5a19abU},
    {2, 2, 7, 7, 0x8717012f1afcf721U},         {7, 5, 1, 1, 0x9c0f11196b772f8bU},
    {13, 9, 13, 4, 0x636675d6793e0d6aU},       {13, 9, 6, 9, 0x09dc8597d775879eU},
    {32, 32, 37, 37, 0x5bff4b5cb731670eU},     {64, 48, 341, 256, 0x5cd460f91fc7618cU},
    {100, 3, 50, 64, 0xbc49b92b7c537425U},     {227, 227, 256, 256, 0x5aa53a31478181b3U},
    {255, 257, 254, 258, 0x56e8d2636057cb6fU}, {500, 375, 341, 256, 0x41e3a446f7638b44U},
    {640, 480, 32, 24, 0xe941fd389473ef35U},   {1000, 1, 10, 1, 0x01b028ed07436da6U},
    {1, 1000, 1, 17, 0x69b839aa6334262bU},     {1021, 769, 299, 225, 0x253bf7b87b4b3e16U},
};

}  // namespace kdequant

#endif  // KDEQUANT_TESTS_VISION_RESIZE_GOLDEN_H_
