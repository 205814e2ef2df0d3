# SPDX-License-Identifier: Apache-2.0
"""What all tests of a process share: the helper process, and the PC/SC library's link."""

import sys
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from vreader.errors import VreaderError
from vreader.world.remote import Helper

if TYPE_CHECKING:
    from vreader.testing.libpcsclite import LibraryLink

SESSION: "pytest.StashKey[Session]" = pytest.StashKey()


class Session:
    """Shared by the tests of one process, which under xdist is one worker.

    It is no fixture: worlds outlive fixtures, those of the session as well.

    Attributes:
        helper: holds the worlds with sockets; started when the first is wanted.
    """

    def __init__(self) -> None:
        self.helper = Helper()
        self._link: LibraryLink | None = None

    @property
    def link(self) -> "LibraryLink":
        """What libpcsclite of this process sees; from its first use on it sees nothing else."""
        if self._link is None:
            from vreader.testing.libpcsclite import LibraryLink  # of systems with UNIX sockets

            self._link = LibraryLink()
        return self._link

    def missing(self, stack: str) -> str:
        """Return why a stack cannot be had on this machine, or nothing."""
        if sys.platform != "linux":
            return "worlds for other programs need Linux; the fixture vreader does not"
        return self._no_pcscd if stack == "pcscd" else ""

    @cached_property
    def _no_pcscd(self) -> str:
        from vreader.bridge.vpcd.installation import find_installation

        try:
            find_installation()
        except VreaderError as error:
            return f"{error} ({error.hint})"
        return ""

    def close(self) -> None:
        """End the helper process and its worlds."""
        self.helper.close()
        if self._link is not None:
            self._link.close()


def session_of(config: pytest.Config) -> Session:
    """Return what the tests of this process share; closed when pytest ends."""
    found = config.stash.get(SESSION, None)
    if found is None:
        found = config.stash[SESSION] = Session()
        config.add_cleanup(found.close)
    return found
