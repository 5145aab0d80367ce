# Header-only libraries from Debian's packages. They are reached through links in the build folder and never by -I/usr/include,
# because a WebAssembly build must not see the host's C library headers.
set(deps_dir ${CMAKE_BINARY_DIR}/deps)
file(MAKE_DIRECTORY ${deps_dir})

# kdequant_header_dependency(name header-to-find folder-to-link package)
function(kdequant_header_dependency name header package)
  find_path(KDEQUANT_${name}_DIR ${header} PATHS /usr/include /usr/local/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  if(NOT KDEQUANT_${name}_DIR)
    message(FATAL_ERROR "${name}: ${header} not found; install Debian's ${package} (scripts/setup does)")
  endif()
  string(REGEX REPLACE "/.*" "" top ${header})
  file(MAKE_DIRECTORY ${deps_dir}/${name})
  file(CREATE_LINK ${KDEQUANT_${name}_DIR}/${top} ${deps_dir}/${name}/${top} SYMBOLIC)
  add_library(deps_${name} INTERFACE)
  add_library(deps::${name} ALIAS deps_${name})
  target_include_directories(deps_${name} SYSTEM INTERFACE ${deps_dir}/${name})
endfunction()

kdequant_header_dependency(eigen eigen3/Eigen/Core libeigen3-dev)
target_include_directories(deps_eigen SYSTEM INTERFACE ${deps_dir}/eigen/eigen3)
target_compile_definitions(deps_eigen INTERFACE EIGEN_DONT_VECTORIZE EIGEN_MPL2_ONLY)
kdequant_header_dependency(protozero protozero/pbf_reader.hpp libprotozero-dev)
kdequant_header_dependency(rapidjson rapidjson/document.h rapidjson-dev)
# RapidJSON 1.1.0 assigns to a const member in an operator that nobody calls; clang 19 rejects it unused. And it adds to a null
# pointer, which the undefined-behaviour sanitizer stops. A copy without both goes first.
file(COPY ${KDEQUANT_rapidjson_DIR}/rapidjson DESTINATION ${deps_dir}/rapidjson_fixed
  PATTERN document.h EXCLUDE PATTERN stack.h EXCLUDE)
file(READ ${KDEQUANT_rapidjson_DIR}/rapidjson/internal/stack.h rapidjson_stack)
string(PREPEND rapidjson_stack "#include <cstddef>\n")
string(REPLACE "stackTop_ + sizeof(T) * count > stackEnd_"
  "static_cast<std::ptrdiff_t>(sizeof(T) * count) > stackEnd_ - stackTop_" rapidjson_stack "${rapidjson_stack}")
file(CONFIGURE OUTPUT ${deps_dir}/rapidjson_fixed/rapidjson/internal/stack.h CONTENT "${rapidjson_stack}" @ONLY)
file(READ ${KDEQUANT_rapidjson_DIR}/rapidjson/document.h rapidjson_document)
string(REPLACE "operator=(const GenericStringRef& rhs) { s = rhs.s; length = rhs.length; }"
  "operator=(const GenericStringRef& rhs) = delete;" rapidjson_document "${rapidjson_document}")
file(CONFIGURE OUTPUT ${deps_dir}/rapidjson_fixed/rapidjson/document.h CONTENT "${rapidjson_document}" @ONLY)
target_include_directories(deps_rapidjson SYSTEM BEFORE INTERFACE ${deps_dir}/rapidjson_fixed)
kdequant_header_dependency(doctest doctest/doctest.h doctest-dev)
kdequant_header_dependency(stb stb/stb_image.h libstb-dev)
if(NOT EMSCRIPTEN)
  # The kernels are written with WebAssembly intrinsics; SIMDe compiles them for x86 and ARM.
  kdequant_header_dependency(simde simde/wasm/simd128.h libsimde-dev)
  kdequant_header_dependency(cli11 CLI/CLI.hpp libcli11-dev)
endif()
