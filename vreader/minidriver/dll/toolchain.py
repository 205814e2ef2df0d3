# SPDX-License-Identifier: Apache-2.0
"""Our C sources, compiled by mingw-w64 on first use into a private cache.

The cache is ``$VREADER_CACHE``, else ``$XDG_CACHE_HOME/vreader``, else ``~/.cache/vreader``, and is
made with mode 0700. What is compiled is kept by a digest of the sources, the headers made for them
and the compiler's own version, so that it is never stale.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from vreader.bridge.winscard_tcp.functions import FUNCTIONS
from vreader.errors import UsageError, VreaderError
from vreader.minidriver.abi import blobs, carddata, cheader, injection, structs
from vreader.minidriver.abi.carddata import CARD_DATA, HOST_MEMBERS
from vreader.minidriver.abi.ctype import Abi
from vreader.minidriver.abi.layout import Struct

COMPILER: Final = "x86_64-w64-mingw32-gcc"
PACKAGE: Final = "gcc-mingw-w64-x86-64"
OTHER_CACHE: Final = "set VREADER_CACHE to a directory that you may write to"
_COMPILE_TIMEOUT_S: Final = 120
_FLAGS: Final = ("-std=gnu11", "-O1", "-s", "-Wall", "-Wextra", "-Wno-cast-function-type")


class Program(NamedTuple):
    """One thing that is compiled: its file, its source, what it is linked with."""

    file: str
    source: str
    flags: tuple[str, ...] = ()


HOST: Final = Program("mdhost.exe", "mdhost.c")
WINSCARD: Final = Program("winscard.dll", "winscard.c", ("-shared", "-lws2_32"))
SAMPLE: Final = Program("vrmini.dll", "vrmini.c", ("-shared", "-lwinscard"))


def cache_directory() -> Path:
    """Return the cache, made where missing; raises VreaderError when it cannot be."""
    told = os.environ.get("VREADER_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(told) if told else Path(base) / "vreader"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid != os.getuid():
            raise VreaderError(f"the cache {path} belongs to somebody else")
    except OSError as error:
        raise VreaderError(
            f"cannot make the cache {path}: {error.strerror or error}",
            hint=OTHER_CACHE,
        ) from error
    return path.absolute()


def compiler() -> str:
    """Return the path of mingw's compiler; raises UsageError where it is missing."""
    path = shutil.which(COMPILER)
    if path is None:
        raise UsageError(
            f"{COMPILER} is missing: minidriver DLLs are loaded by a program it compiles",
            hint=f"apt install {PACKAGE}",
        )
    return path


def build(*programs: Program, extra: Mapping[str, bytes] | None = None) -> Path:
    """Compile programs, where that was not done before; return the directory they are in.

    Args:
        programs: what is needed.
        extra: sources by name, besides our own.

    Raises:
        UsageError: mingw is missing.
        VreaderError: it fails.
    """
    gcc = compiler()
    sources = {
        entry.name: entry.read_bytes()
        for entry in resources.files(__package__).iterdir()
        if entry.name.endswith((".c", ".h"))
    } | {name: text.encode() for name, text in made_headers().items()}
    sources |= extra or {}
    digest = hashlib.sha256(repr((sorted(sources.items()), programs, _FLAGS)).encode())
    digest.update(_version(gcc))
    directory = cache_directory() / f"mingw-{digest.hexdigest()[:24]}"
    if not all((directory / program.file).is_file() for program in programs):
        try:
            _compile(gcc, sources, programs, directory)
        except OSError as error:
            raise VreaderError(
                f"cannot write into the cache {directory.parent}: {error.strerror or error}",
                hint=OTHER_CACHE,
            ) from error
    return directory


def _compile(
    gcc: str,
    sources: dict[str, bytes],
    programs: tuple[Program, ...],
    directory: Path,
) -> None:
    """Compile beside the place and move there at the end: another process may do the same."""
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="making-") as made:
        work, done = Path(made, "source"), Path(made, "done")
        work.mkdir()
        done.mkdir()
        for name, content in sources.items():
            (work / name).write_bytes(content)
        for program in programs:
            words = (*_FLAGS, "-o", str(done / program.file), program.source, *program.flags)
            _run(gcc, words, program.source, work)
        if directory.is_dir():  # with something missing
            directory.rename(Path(made, "broken"))
        try:
            done.rename(directory)
        except OSError:
            if not directory.is_dir():  # else somebody was faster
                raise


def _run(gcc: str, words: tuple[str, ...], source: str, work: Path) -> None:
    try:
        result = subprocess.run(
            [gcc, *words],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=_COMPILE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VreaderError(f"{gcc} cannot compile {source}: {error}") from error
    if result.returncode:
        raise VreaderError(f"{gcc} cannot compile {source}: {result.stderr.strip()}")


def _version(gcc: str) -> bytes:
    try:
        return subprocess.run(
            [gcc, "-dumpfullversion"], capture_output=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise VreaderError(f"{gcc} does not run: {error}") from error


def made_headers() -> dict[str, str]:
    """Return the headers that are made from our tables, by name."""
    layout = CARD_DATA.layout(Abi.X64)
    types = dict(CARD_DATA.FIELDS)
    members = "".join(
        f'    {{"{name}", {layout.offsets[name]}, {types[name].size(Abi.X64)}}},\n'
        for name in (*HOST_MEMBERS, "pvUnused3", "pvUnused4")
    )
    ends = "".join(
        f"    {{{version}, {CARD_DATA.layout(Abi.X64, version).size}}},\n"
        for version in CARD_DATA.VERSIONS
    )
    numbers = "".join(f"    F_{function.name},\n" for function in FUNCTIONS)
    return {
        "minidriver.h": cheader.header(_structs())
        + "".join(cheader.assertions(struct, Abi.X64) for struct in _structs()),
        "members.h": (
            "static const struct { const char *name; unsigned at, size; } HOST_MEMBERS[] = {\n"
            f"{members}}};\n"
            f"static const struct {{ unsigned version, size; }} VERSION_ENDS[] = {{\n{ends}}};\n"
        ),
        "functions.h": f"enum {{\n{numbers}}};\n",
    }


def _structs() -> list[type[Struct]]:
    return [
        found
        for module in (structs, injection, blobs, carddata)
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, Struct)
        and found.__module__ == module.__name__
    ]
