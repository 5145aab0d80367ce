# Sourced by scripts that run tools/*.py: the project's own Python environment, made on first use.
#
#   source scripts/lib/python.sh
#   python=$(kdequant_python) || exit 1
#   python=$(kdequant_python bench/peers/requirements.txt) || exit 1     # with these packages beside the others
#
# The environment lives in the cache folder and is named after the hash of its requirements: a changed pin makes a new
# one, and checkouts share it. Nothing is installed into the system's Python.

# Prints the folder for downloads and environments: $KDEQUANT_CACHE, else kdequant/ in the user's cache folder.
kdequant_cache() {
  printf '%s\n' "${KDEQUANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kdequant}"
}

# Prints a Python 3.11 that can make environments, or says which package to install. 3.11 because the pins are its wheels.
_kdequant_base_python() {
  local candidate found_without_venv=
  for candidate in ${KDEQUANT_PYTHON:+"$KDEQUANT_PYTHON"} python3.11 /usr/bin/python3.11 python3; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || continue
    if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
    found_without_venv=$candidate
  done
  if [ -n "$found_without_venv" ]; then
    echo "error: $found_without_venv cannot make virtual environments; install Debian's python3-venv (apt-get install python3-venv)" >&2
  else
    echo "error: no Python 3.11 found; install it (apt-get install python3 python3-venv on Debian 12) or name one in KDEQUANT_PYTHON" >&2
  fi
  return 1
}

# Prints the path of the environment's python: tools/requirements.txt and the files given beside it. Quick when the environment is
# there; safe when two scripts call it at once.
kdequant_python() {
  local cache venv base file options=() requirements
  requirements=("$(cd "$(dirname "${BASH_SOURCE[0]}")/../../tools" && pwd)/requirements.txt" "$@") || return 1
  for file in "${requirements[@]}"; do options+=(--requirement "$file"); done
  cache=$(kdequant_cache)
  venv=$cache/venv-$(cat "${requirements[@]}" | sha256sum | cut -c1-16)
  if [ ! -e "$venv/.complete" ]; then
    base=$(_kdequant_base_python) || return 1
    mkdir -p "$cache" || return 1
    (
      flock 9
      [ -e "$venv/.complete" ] && exit 0  # another script made it while this one waited
      echo "Making a Python environment (about 65 MB to download) in $venv" >&2
      rm -rf "$venv"
      "$base" -m venv "$venv" &&
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
          --require-hashes --only-binary :all: "${options[@]}" >&2 &&
        touch "$venv/.complete"
    ) 9>"$cache/.venv.lock" || {
      echo "error: the Python environment could not be made; the lines above say why (network? disk? a Python other than 3.11 on Linux?)" >&2
      return 1
    }
  fi
  printf '%s\n' "$venv/bin/python"
}
