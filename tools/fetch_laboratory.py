"""Takes what the laboratory is compiled from out of the PyPI package `imgui-bundle`: Dear ImGui, ImPlot and a font.

    python tools/fetch_laboratory.py --out build/laboratory

Writes imgui/, implot/, Roboto-Regular.ttf and NOTICE.txt, the licences of the three.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path, PurePosixPath

from modelkit.packages import PackageError, PyPISource, write_atomically

PACKAGE = PyPISource(
    name="imgui-bundle",
    version="1.93.0",
    file="imgui_bundle-1.93.0.tar.gz",
    sha256="10ad1dab8258a6787b4f07bb926b08d0efc648a7906242568c8dd778c5e719bf",
)
IMGUI = "external/imgui/imgui/"
IMPLOT = "external/implot/implot/"
ROBOTO = "bindings/imgui_bundle/assets/fonts/Roboto/"
# Where in the package, what of it, and where to.
SOURCES = [
    (IMGUI, "*.cpp", "imgui"),
    (IMGUI, "*.h", "imgui"),
    (IMGUI + "backends/", "imgui_impl_opengl3*", "imgui"),
    (IMPLOT, "*.cpp", "implot"),
    (IMPLOT, "*.h", "implot"),
]
NOTICE = "The laboratory of this page contains the following.\n"
LICENCES = [
    ("Dear ImGui", IMGUI + "LICENSE.txt"),
    ("ImPlot", IMPLOT + "LICENSE"),
    ("Roboto (font)", ROBOTO + "LICENSE.txt"),
]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Write the sources of Dear ImGui and ImPlot, and a font.")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    out: Path = parser.parse_args().out
    try:
        files = PACKAGE.read_all((IMGUI, IMPLOT, ROBOTO))
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path, content in files.items():
        member = PurePosixPath(path)
        for folder, pattern, target in SOURCES:
            if f"{member.parent}/" == folder and member.match(pattern):
                write_atomically(out / target / member.name, content)
    write_atomically(out / "Roboto-Regular.ttf", files[ROBOTO + "Roboto-Regular.ttf"])
    notice = NOTICE + "".join(f"\n{'-' * 72}\n{name}\n{'-' * 72}\n\n{files[path].decode()}" for name, path in LICENCES)
    write_atomically(out / "NOTICE.txt", notice.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
