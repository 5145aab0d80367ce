# The toolchain file of the WebAssembly presets: Emscripten's own, found beside the em++ on PATH (scripts/setup installs one;
# `source ~/.cache/kdequant/emscripten/env.sh` puts it there). `emcmake cmake` does the same for builds without a preset.
find_program(KDEQUANT_EMXX em++ NO_CMAKE_FIND_ROOT_PATH)
if(NOT KDEQUANT_EMXX)
  message(FATAL_ERROR "em++ is not on PATH: run scripts/setup, then `source ~/.cache/kdequant/emscripten/env.sh`")
endif()
file(REAL_PATH ${KDEQUANT_EMXX} emxx)
cmake_path(GET emxx PARENT_PATH emscripten)
include(${emscripten}/cmake/Modules/Platform/Emscripten.cmake)
