# One folder of src/ is one library target, kdequant::<room>. A room sees the public headers of the rooms it links and of no
# other (each room has an include folder of its own), so the link graph is the architecture.

# Everything that is compiled: the language level, the warnings, and arithmetic that is the same on every build.
add_library(kdequant_options INTERFACE)
target_compile_features(kdequant_options INTERFACE cxx_std_23)
target_compile_options(kdequant_options INTERFACE
  -Wall -Wextra -Wconversion -Werror
  # GCC 12 sees overlapping copies in "text" + std::string where there are none (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # A fused multiply-add rounds once where two instructions round twice: forbidden, so that native and WebAssembly builds
  # design the same codebooks and compute the same logits.
  -ffp-contract=off)
if(KDEQUANT_SANITIZE)
  target_compile_options(kdequant_options INTERFACE -fsanitize=${KDEQUANT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(kdequant_options INTERFACE -fsanitize=${KDEQUANT_SANITIZE})
endif()
if(EMSCRIPTEN)
  target_compile_options(kdequant_options INTERFACE -msimd128 -fwasm-exceptions $<$<BOOL:${KDEQUANT_RELAXED_SIMD}>:-mrelaxed-simd>)
  target_link_options(kdequant_options INTERFACE -fwasm-exceptions)
endif()

# A page downloads the engine: only the rooms whose loops take the time are compiled for speed there.
set(KDEQUANT_FAST_ROOMS runtime compensation density codebook vision calibration)

# kdequant_room(name SOURCES a.cpp b.cpp DEPENDS base model PRIVATE_DEPENDS deps::eigen)
function(kdequant_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target kdequant_${name})
  add_library(${target} STATIC ${ROOM_SOURCES})
  add_library(kdequant::${name} ALIAS ${target})
  target_include_directories(${target} PUBLIC include PRIVATE .)
  foreach(room IN LISTS ROOM_DEPENDS)
    target_link_libraries(${target} PUBLIC kdequant::${room})
  endforeach()
  target_link_libraries(${target} PRIVATE kdequant_options ${ROOM_PRIVATE_DEPENDS})
  if(EMSCRIPTEN AND NOT name IN_LIST KDEQUANT_FAST_ROOMS)
    target_compile_options(${target} PRIVATE -Oz)
  endif()
endfunction()
