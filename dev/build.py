"""Makes the deployable package: for Linux x86-64 and one Python, packages included, with bytecode that stays valid.

    python -m dev.build --python 3.13 --to .local/build

The packages are wheels only, each with the hash that requirements.txt has. In Azure the package is mounted read-only,
and the time stamps of its files may not be those of here: bytecode that goes by time stamps would be compiled again at
each start. So this one goes unchecked (PEP 552).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.txt"
SITE = Path(".python_packages/lib/site-packages")
"""Where the Functions worker looks for packages. https://learn.microsoft.com/azure/azure-functions/functions-reference-python"""
_PLATFORM = "x86_64-manylinux_2_28"
_VERSIONS = ("3.11", "3.12", "3.13")
_DEFAULT = "3.12"  # infra/main.bicep's
_OLDEST = (1980, 1, 1, 0, 0, 0)


class CannotBuild(Exception):
    """The package can't be made; the text says what to do."""


def interpreter(version: str) -> str:
    """Return a Python of this version, which compiles the bytecode.

    Raises:
        CannotBuild: there is none here.
    """
    for name in (sys.executable, f"python{version}"):
        found = shutil.which(name)
        if found is None:
            continue
        code = "import sys; print(*sys.version_info[:2], sep='.')"
        asked = subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
        if asked.stdout.strip() == version:
            return found
    raise CannotBuild(
        f"bytecode for Python {version} needs a python{version} on the PATH: install it, or choose another"
    )


def deployed_files(root: Path = ROOT) -> Iterator[Path]:
    """Yield the paths, below the root, of what .funcignore lets through, in order."""
    lines = [line.strip() for line in (root / ".funcignore").read_text(encoding="utf-8").splitlines()]
    ignored = [line for line in lines if line and not line.startswith("#")]
    folders = [root]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if any(fnmatch(path.name, pattern) for pattern in ignored):
                continue
            if path.is_dir():
                folders.append(path)
            else:
                yield path.relative_to(root)


def build(folder: Path, version: str) -> None:
    """Make the package in an empty folder.

    Raises:
        CannotBuild: a wheel is missing or its hash is another, or no such Python is here.
    """
    python = interpreter(version)
    for path in deployed_files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    install = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(folder / SITE), "--link-mode", "copy"]
    install += ["--python", python, "--python-platform", _PLATFORM, "--only-binary", ":all:"]
    if subprocess.run([*install, "--require-hashes", "-r", str(LOCK)], check=False).returncode:
        raise CannotBuild("the packages could not be installed: see above; make lock renews requirements.txt")
    # The folder's name stays out of the bytecode. Templates of some packages are no Python, and get none.
    compile_all = [python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s"]
    subprocess.run([*compile_all, str(folder), str(folder)], stdout=subprocess.DEVNULL, check=False)


def pack(folder: Path, file: Path) -> None:
    """Write the folder as a zip file that is the same for the same content."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), _OLDEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m dev.build", description="Makes the deployable package.")
    parser.add_argument("--python", choices=_VERSIONS, default=_DEFAULT, help="of the function app")
    parser.add_argument("--to", type=Path, default=ROOT / ".local" / "build", help="a folder, which is replaced")
    options = parser.parse_args(arguments)
    folder: Path = options.to
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        build(folder, options.python)
    except CannotBuild as error:
        print(f"make build: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"make build: {error.filename} can't be written ({error.strerror})", file=sys.stderr)
        return 1
    file = folder.with_suffix(".zip")
    pack(folder, file)
    print(f"{folder} and {file}, {file.stat().st_size / 1e6:.0f} MB, for Python {options.python} on Linux x86-64")
    return 0


if __name__ == "__main__":
    sys.exit(main())
