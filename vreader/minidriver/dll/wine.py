# SPDX-License-Identifier: Apache-2.0
"""Wine with a prefix of our own: made once into the cache, its wineserver ended by us.

Processes that use the prefix hold a shared lock on it. Who leaves last ends the wineserver, which
serves this prefix and no other.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

from vreader.errors import UsageError, VreaderError
from vreader.minidriver.dll.toolchain import OTHER_CACHE, cache_directory

PACKAGES: Final = "wine64 wine"
WINES: Final = ("wine64", "wine")
_BOOT_TIMEOUT_S: Final = 180
_END_TIMEOUT_S: Final = 20
_PAUSE_S: Final = 0.05
_MAKING: Final = "making-prefix-"
_SYSTEM: Final = "drive_c/windows/system32/kernel32.dll"


def find_wine() -> str:
    """Return the path of Wine; raises UsageError where it is missing."""
    for name in WINES:
        if (path := shutil.which(name)) is not None:
            return path
    raise UsageError("wine is missing: it runs minidriver DLLs", hint=f"apt install {PACKAGES}")


class Prefix:
    """A Wine prefix in use.

    Attributes:
        wine: the program.
        path: the prefix.

    Raises:
        UsageError: Wine is missing.
        VreaderError: the prefix cannot be made.
    """

    def __init__(self) -> None:
        self.wine = find_wine()
        cache = cache_directory()
        self.path = cache / "wine-prefix"
        try:
            self._lock = os.open(cache / "wine-prefix.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise VreaderError(
                f"cannot write into the cache {cache}: {error.strerror or error}", hint=OTHER_CACHE
            ) from error
        try:
            self._enter(cache)
        except BaseException:
            os.close(self._lock)
            raise

    def environment(self, path: Path | None = None) -> dict[str, str]:
        """Return the environment of a Windows program: as little of ours as it needs."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        own = {
            "WINEPREFIX": str(path or self.path),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=;winscard=n",
            "HOME": str(path or self.path),
        }
        return kept | own

    def close(self) -> None:
        """Leave; the last one ends the wineserver. May be called twice."""
        if self._lock < 0:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # another process, or another module of this one, is still at work
        else:
            self._end_server(self.path)
        os.close(self._lock)
        self._lock = -1

    def _enter(self, cache: Path) -> None:
        """Take the shared lock of a prefix that is made: here, or by who is faster.

        Nobody waits for the lock of the maker: he keeps it, shared, for as long as he works.
        """
        while True:
            fcntl.flock(self._lock, fcntl.LOCK_SH)  # waits while it is made, or its server ended
            if self._made():
                return
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE_S)  # another one looks at the same time
                continue
            if not self._made():
                self._make(cache)

    def _made(self) -> bool:
        return (self.path / _SYSTEM).exists()

    def _make(self, cache: Path) -> None:
        for left in cache.glob(f"{_MAKING}*"):  # by one that was killed
            self._end_server(left)
            shutil.rmtree(left, ignore_errors=True)
        try:
            made = Path(tempfile.mkdtemp(dir=cache, prefix=_MAKING))
        except OSError as error:
            raise VreaderError(
                f"cannot write into the cache {cache}: {error.strerror or error}", hint=OTHER_CACHE
            ) from error
        try:
            result = subprocess.run(
                [self.wine, "wineboot", "-i"],
                env=self.environment(made),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_BOOT_TIMEOUT_S,
                check=False,
            )
            self._end_server(made)
            if result.returncode or not (made / _SYSTEM).exists():
                told = result.stderr.decode(errors="replace").strip() or "no reason given"
                raise VreaderError(f"wine cannot make its prefix: {told}")
            made.rename(self.path)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._end_server(made)
            raise VreaderError(f"wine cannot make its prefix: {error}") from error
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _end_server(self, path: Path) -> None:
        server = shutil.which("wineserver") or _beside(self.wine)
        for words in (["-k"], ["-w"]):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [server, *words],
                    env=self.environment(path),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_END_TIMEOUT_S,
                    check=False,
                )


@cache
def prefix() -> Prefix:
    """Return the prefix of this process; it is left when the process ends.

    Keeping it saves every DLL but the first the start of a wineserver. Raises as Prefix does.
    """
    made = Prefix()
    atexit.register(made.close)
    return made


def _beside(wine: str) -> str:
    """Return the wineserver of a Wine that is not in the path; Debian has it in a library."""
    for directory in (Path(wine).resolve().parent, Path("/usr/lib/wine")):
        for name in ("wineserver", "wineserver64"):
            if (directory / name).exists():
                return str(directory / name)
    return "wineserver"
