# Sourced by scripts/demo and scripts/test, after toolchain.sh: the builds, each incremental.

# The native command, build/bin/kdequant.
kdequant_build_native() {
  [ -f build/build.ninja ] || cmake --preset native >/dev/null
  cmake --build --preset native
}

# The WebAssembly modules and the npm package around them.
kdequant_build_package() { npm run --silent build:package; }

# The static site, dist/site.
kdequant_build_site() {
  kdequant_build_package
  npm run --silent build:site
}
