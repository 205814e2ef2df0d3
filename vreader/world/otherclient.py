# SPDX-License-Identifier: Apache-2.0
"""Another program at a real pcscd, which resets the card in a reader.

pcscd tells every application of a reset before it asks the driver for it, and the driver is busy
with a command until that is answered. So the program asks while the command waits to be begun:
whatever its sender asks next is answered SCARD_W_RESET_CARD. Where the sender has a transaction the
program waits for its end, as any would. A program that connects waits for the driver, too: this one
has connected before, so nobody else gets the reader for himself meanwhile.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD, Disposition, ShareMode

if TYPE_CHECKING:
    from vreader.bridge.pcsclite.client import PcscClient
    from vreader.host import Host

# The program asks at once, unless this machine is busy; the card need not wait for ever.
_ASKED_S = 5.0
# pcscd has taken a request by then, and waits for the driver, or has refused it.
_TAKEN_S = 0.1
_ANY_PROTOCOL = 3  # T=0 or T=1


class OtherProgram:
    """The program; see :data:`vreader.reader.hardware.Other`.

    Args:
        host: where the reader is.
        name: pcscd's name of the reader.
        wanted: whether it is to reset the card once more.
    """

    def __init__(self, host: "Host", name: str, wanted: Callable[[], bool]) -> None:
        self._host = host
        self._name = name
        self._wanted = wanted
        self._lock = threading.Lock()  # for the client, which is for one thread
        self._socket = ""
        self._client: PcscClient | None = None
        self._hcard = 0

    def connect(self, socket: str) -> None:
        """Connect to the reader, card or none, at pcscd's ``socket``; raises VreaderError."""
        self._socket = socket
        with self._lock:
            self._connect()

    def __call__(self, go_on: Callable[[], None]) -> None:
        """Reset the card as soon as ``go_on`` has been called, which is soon."""
        asked, taken = threading.Event(), threading.Event()
        for work in (
            lambda: self._run(asked, taken),
            lambda: self._go_on(asked, taken, go_on),
        ):
            threading.Thread(target=work, name="other program", daemon=True).start()

    def close(self) -> None:
        """Disconnect. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _go_on(
        self, asked: threading.Event, taken: threading.Event, go_on: Callable[[], None]
    ) -> None:
        asked.wait(_ASKED_S)
        taken.wait(_TAKEN_S)
        self._host.run(go_on)

    def _run(self, asked: threading.Event, taken: threading.Event) -> None:
        try:
            with self._lock:
                self._reset(asked, taken)
        except VreaderError:
            self.close()  # pcscd has gone, or the card: there is nobody to tell
        finally:
            taken.set()
            asked.set()

    def _connect(self) -> "PcscClient":
        from vreader.bridge.pcsclite.client import PcscClient

        if self._client is None:
            client = PcscClient(self._socket)
            try:
                client.establish()
                self._hcard, _ = client.connect(self._name, ShareMode.DIRECT, 0)
            except BaseException:
                client.close()
                raise
            self._client = client
        return self._client

    def _reset(self, asked: threading.Event, taken: threading.Event) -> None:
        from vreader.bridge.pcsclite.client import PcscError

        client = self._connect()
        asked.set()
        try:
            client.reconnect(self._hcard, ShareMode.SHARED, _ANY_PROTOCOL, Disposition.RESET)
        except PcscError as error:
            if error.code != SCARD.E_SHARING_VIOLATION:
                raise
            taken.set()
            client.disconnect(self._hcard, Disposition.RESET)  # that waits
            self.close()
        if not self._wanted():
            self.close()
        elif self._client is None:
            self._connect()
