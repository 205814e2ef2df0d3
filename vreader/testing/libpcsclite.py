# SPDX-License-Identifier: Apache-2.0
"""The PC/SC library of this process, and which world it sees.

libpcsclite reads ``PCSCLITE_CSOCK_NAME`` once, when it is first used. So the variable names one
symbolic link for as long as the process lives, and each world turns that link to its own socket.
"""

import os

from vreader.errors import UsageError, VreaderError
from vreader.privatedir import PrivateDirectory
from vreader.testing.contexts import held

VARIABLE = "PCSCLITE_CSOCK_NAME"
_LIBRARY = "libpcsclite.so.1"
_SYSTEM = 2


class LibraryLink:
    """What libpcsclite of this process connects to.

    Attributes:
        path: the symbolic link that the environment names.
    """

    def __init__(self) -> None:
        self._directory = PrivateDirectory()
        self.path = f"{self._directory.path}/pcsc"
        self._target = ""
        self._owner = os.getpid()
        self._before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.path
        self._proven = False

    def turn_to(self, target: str) -> None:
        """Let the library see the world at a socket.

        Raises:
            UsageError: it sees another one.
            VreaderError: it has been used before, and keeps to the socket it has found then.
        """
        if self._target:
            raise UsageError(
                "the PC/SC library of a process sees one world at a time",
                hint="use vreader_factory for the other, and give its environment to a subprocess",
            )
        os.symlink(target, f"{self.path}.new")  # noqa: PTH211
        os.replace(f"{self.path}.new", self.path)  # noqa: PTH105
        self._target = target
        # Whoever has the library has had a chance to use it, with another socket.
        if not self._proven and _is_mapped():
            try:
                self._check(target)
            except BaseException:
                self.turn_away()
                raise
            self._proven = True

    def turn_away(self) -> None:
        """Let it see nothing."""
        if self._target:
            self._target = ""
            if os.getpid() == self._owner:  # a child that a test has forked may end as tests do
                os.unlink(self.path)  # noqa: PTH108

    def _check(self, target: str) -> None:
        import ctypes

        library, context = ctypes.CDLL(_LIBRARY), ctypes.c_long()
        failed = library.SCardEstablishContext(_SYSTEM, None, None, ctypes.byref(context))
        arrived = bool(held([target]))
        if not failed:
            library.SCardReleaseContext(context)
        if not arrived:
            raise VreaderError(
                "libpcsclite was used in this process before, and keeps to the socket of that time",
                hint="let nothing ask for readers before the first test with this fixture; "
                "programs can have the environment of vreader_factory(stack='embedded')",
            )

    def close(self) -> None:
        """Give the variable its former value; the path that the library keeps leads nowhere."""
        self.turn_away()
        if self._before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._before
        self._directory.close()


def _is_mapped() -> bool:
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:  # noqa: PTH123
            return "libpcsclite" in maps.read()
    except OSError:
        return False
