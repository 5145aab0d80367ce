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
# Where a thrown exception is caught or objects must be destroyed on its way: executables, and sources named so below.
add_library(kdequant_exceptions INTERFACE)
if(EMSCRIPTEN)
  # Browsers with SIMD have bulk memory and conversions that do not trap, too. Threads but the first come upon no static
  # variable that is not initialized.
  target_compile_options(kdequant_options INTERFACE -msimd128 -mbulk-memory -mnontrapping-fptoint
    $<$<BOOL:${KDEQUANT_RELAXED_SIMD}>:-mrelaxed-simd>
    $<$<BOOL:${KDEQUANT_THREADS}>:-matomics> $<$<BOOL:${KDEQUANT_THREADS}>:-fno-threadsafe-statics>)
  target_compile_options(kdequant_exceptions INTERFACE -fwasm-exceptions)
  target_link_options(kdequant_exceptions INTERFACE -fwasm-exceptions)
endif()

# Without the instructions of x86-64-v2 (SSSE3 and SSE4.1, in every processor since 2009) the loops' table lookups and
# products of bytes are emulated. Results do not depend on it.
set(KDEQUANT_X86_LEVEL "x86-64-v2" CACHE STRING "x86 only: what the loops are compiled for; empty for the compiler's default")

# kdequant_room(name
#   SOURCES a.cpp                   what decides and arranges
#   FAST_SOURCES loops.cpp          the loops that take the time
#   EXCEPTION_SOURCES parse.cpp     what throws, or catches, in WebAssembly too
#   DEPENDS base model
#   PRIVATE_DEPENDS deps::eigen)
#
# A page downloads the engine: in WebAssembly all but FAST_SOURCES is compiled for size, and all but EXCEPTION_SOURCES
# without landing pads, which are a quarter of the code. A std::bad_alloc passes through such a frame to whoever called
# the engine, and what the frame held is lost: the bindings ask for the memory of a large model first. Outside the loops
# only what is declared inline may be put into its callers: what stays a function can be left out (wasm/scripts/split.mjs).
function(kdequant_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;FAST_SOURCES;EXCEPTION_SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target kdequant_${name})
  add_library(${target} STATIC ${ROOM_SOURCES} ${ROOM_FAST_SOURCES} ${ROOM_EXCEPTION_SOURCES})
  add_library(kdequant::${name} ALIAS ${target})
  target_include_directories(${target} PUBLIC include PRIVATE .)
  foreach(room IN LISTS ROOM_DEPENDS)
    target_link_libraries(${target} PUBLIC kdequant::${room})
  endforeach()
  target_link_libraries(${target} PRIVATE kdequant_options ${ROOM_PRIVATE_DEPENDS})
  if(EMSCRIPTEN)
    target_compile_options(${target} PRIVATE -Oz -fno-rtti -finline-hint-functions)
    set_property(SOURCE ${ROOM_FAST_SOURCES} APPEND PROPERTY COMPILE_OPTIONS -O3 -finline-functions)
    set_property(SOURCE ${ROOM_EXCEPTION_SOURCES} APPEND PROPERTY COMPILE_OPTIONS -fwasm-exceptions)
  elseif(KDEQUANT_X86_LEVEL AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND ROOM_FAST_SOURCES)
    set_property(SOURCE ${ROOM_FAST_SOURCES} APPEND PROPERTY COMPILE_OPTIONS -march=${KDEQUANT_X86_LEVEL})
  endif()
endfunction()
