# SPDX-License-Identifier: Apache-2.0
"""Where a PC/SC service is, and in which of its readers the card that somebody means."""

import os
from typing import Final

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.wire import ReaderState
from vreader.errors import VreaderError

SYSTEM_SOCKET: Final = "/run/pcscd/pcscd.comm"


def service_socket() -> str:
    """Return the socket of the world this process is in, else that of the system's service."""
    return os.environ.get("PCSCLITE_CSOCK_NAME") or SYSTEM_SOCKET


def find_card(client: PcscClient, part: str = "") -> str:
    """Return the name of the first reader with a card of those that ``part`` means.

    Raises:
        VreaderError: there is none.
    """
    meant = find_readers(client, part)
    for state in meant:
        if state.atr:
            return state.name
    what = f"no card is in {part!r}" if part else "no reader holds a card"
    names = ", ".join(repr(state.name) for state in client.readers())
    raise VreaderError(what, hint=f"readers: {names}")


def find_readers(client: PcscClient, part: str = "") -> list[ReaderState]:
    """Return the reader that is called ``part``, else all whose names hold it, in either case.

    Raises:
        VreaderError: there is none.
    """
    readers = client.readers()
    meant = [state for state in readers if state.name == part] or [
        state for state in readers if part.casefold() in state.name.casefold()
    ]
    if not meant:
        names = ", ".join(repr(state.name) for state in readers) or "none"
        what = f"no reader is called {part!r}" if readers else "there is no reader"
        raise VreaderError(what, hint=f"readers: {names}")
    return meant
