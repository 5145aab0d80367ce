# Sourced by the other scripts: what the project needs on the machine, and where it is.
#
#   source scripts/lib/toolchain.sh
#   kdequant_setup          # installs what is missing (quick when nothing is)
#   kdequant_environment    # puts em++ and node on PATH of this shell
#
# Nothing that was there before is changed: Debian packages are added, everything else goes into the cache folder.

source "$(dirname "${BASH_SOURCE[0]}")/python.sh"

# Debian packages: compilers and checkers, header-only libraries (see cmake/Dependencies.cmake), Python, the test browsers and
# what those need to run without a screen.
KDEQUANT_PACKAGES=(
  git ca-certificates cmake ninja-build ccache g++ clang-19 lld-19 llvm-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev
  libeigen3-dev libprotozero-dev rapidjson-dev doctest-dev libcli11-dev libstb-dev libsimde-dev
  python3 python3-venv chromium firefox-esr webkit2gtk-driver xvfb libgl1-mesa-dri
)

# The Node.js that is fetched where the machine's is missing or older than 20: an npm package that holds the binary.
KDEQUANT_NODE_VERSION=22.23.3

kdequant_as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# kdequant_install_packages PACKAGE...: installs those that are missing.
kdequant_install_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "Installing Debian packages: ${missing[*]}"
  kdequant_as_root apt-get update -qq
  kdequant_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# version_at_least HAVE WANT
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

_kdequant_system_emscripten() {
  command -v em++ >/dev/null || return 1
  local version
  version=$(em++ --version 2>/dev/null | sed -nE '1s/.* ([0-9]+\.[0-9]+\.[0-9]+).*/\1/p')
  [ -n "$version" ] && version_at_least "$version" 3.1.60
}

_kdequant_system_node() {
  command -v node >/dev/null && command -v npm >/dev/null && version_at_least "$(node --version | tr -d v)" 20.0.0
}

_kdequant_install_node() {
  command -v npm >/dev/null || kdequant_install_packages npm
  local platform cache
  case $(uname -m) in
    x86_64) platform=x64 ;;
    aarch64) platform=arm64 ;;
    *) echo "error: no Node.js package for $(uname -m); install Node.js 20 or newer and run this again" >&2; return 1 ;;
  esac
  cache=$(kdequant_cache)
  mkdir -p "$cache/node"
  npm install --silent --no-audit --no-fund --prefix "$cache/node" "node-linux-$platform@$KDEQUANT_NODE_VERSION" "npm@11.6.2"
  mkdir -p "$cache/node/bin"
  ln -sf "../node_modules/node-linux-$platform/bin/node" "$cache/node/bin/node"
  ln -sf ../node_modules/npm/bin/npm-cli.js "$cache/node/bin/npm"
  ln -sf ../node_modules/npm/bin/npx-cli.js "$cache/node/bin/npx"
}

# Puts node and em++ on PATH, where they are not already.
kdequant_environment() {
  local cache
  cache=$(kdequant_cache)
  if ! _kdequant_system_node && [ -x "$cache/node/bin/node" ]; then export PATH="$cache/node/bin:$PATH"; fi
  if ! _kdequant_system_emscripten && [ -f "$cache/emscripten/env.sh" ]; then source "$cache/emscripten/env.sh"; fi
}

kdequant_setup() {
  kdequant_install_packages "${KDEQUANT_PACKAGES[@]}"
  kdequant_environment
  _kdequant_system_node || _kdequant_install_node
  kdequant_environment
  _kdequant_system_emscripten || scripts/lib/install-emscripten "$(kdequant_cache)/emscripten"
  kdequant_environment
  kdequant_python >/dev/null
  # npm ci only when the lock file changed: it takes half a minute.
  local lock
  lock=$(sha256sum package-lock.json | cut -c1-64)
  if [ "$(cat node_modules/.kdequant-lock 2>/dev/null)" != "$lock" ]; then
    npm ci --no-audit --no-fund --silent
    echo "$lock" >node_modules/.kdequant-lock
  fi
}
