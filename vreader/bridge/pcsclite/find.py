# SPDX-License-Identifier: Apache-2.0
"""Where a PC/SC service is, and in which of its readers the card that somebody means."""

import os
from typing import Final

from vreader.bridge.pcsclite.client import PcscClient
from vreader.errors import VreaderError

SYSTEM_SOCKET: Final = "/run/pcscd/pcscd.comm"


def service_socket() -> str:
    """Return the socket of the world this process is in, else that of the system's service."""
    return os.environ.get("PCSCLITE_CSOCK_NAME") or SYSTEM_SOCKET


def find_card(client: PcscClient, part: str = "") -> str:
    """Return the name of the first reader with a card whose name holds ``part``, in either case.

    Raises:
        VreaderError: there is none.
    """
    readers = client.readers()
    meant = [state for state in readers if part.casefold() in state.name.casefold()]
    for state in meant:
        if state.atr:
            return state.name
    names = ", ".join(repr(state.name) for state in readers) or "none"
    if not part:
        what = "no reader holds a card"
    elif meant:
        what = f"no card is in {part!r}"
    else:
        what = f"no reader is called {part!r}"
    raise VreaderError(what, hint=f"readers: {names}")
