# SPDX-License-Identifier: Apache-2.0
"""The few calls of the system's PC/SC that a relay needs, by pyscard.

Errors of a call become what a card does, or what a person is told.

pyscard is the optional extra ``pcsc``; it is imported when the first card is relayed.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from vreader.card import CardGone, CardMute
from vreader.errors import VreaderError

# winscard.h and pcsclite.h have the same numbers for all of these.
_SHARE_EXCLUSIVE, _T0, _T1 = 1, 1, 2
_LEAVE, _RESET, _UNPOWER = 0, 1, 2
_PATIENCE_S = 1.0
_STATE_PRESENT = 0x20
_NO_READERS, _SHARING = 0x8010002E, 0x8010000B
_NO_SMARTCARD, _UNRESPONSIVE = 0x8010000C, 0x80100066
_GONE = frozenset((
    0x80100003,  # invalid handle: the service was started anew
    0x80100009,  # unknown reader
    _NO_SMARTCARD,
    0x80100017,  # reader unavailable
    0x8010001D,  # no service
    0x8010001E,  # service stopped
    _NO_READERS,
    0x80100069,  # removed card
))  # fmt: skip


class Pcsc:
    """A connection to the PC/SC service and, once there is one, to a card, for ourselves alone.

    Raises:
        VreaderError: pyscard is not installed, or there is no service.
    """

    def __init__(self) -> None:
        try:
            self._scard: Any = import_module("smartcard.scard")
        except ImportError as error:
            raise VreaderError(
                f"a relay needs pyscard, which cannot be imported: {error}",
                hint="pip install 'vreader[pcsc]'; that needs swig, gcc and libpcsclite-dev",
            ) from None
        code, self._context = self._scard.SCardEstablishContext(0)
        self._need(code, "there is no PC/SC service", "is pcscd running?")
        self._card: object = None
        self._protocol = 0
        self._name = ""
        # PC/SC has no way to end a card's work: whoever closes meanwhile leaves the rest to it.
        self._calling = threading.Lock()
        self._closing = False

    def _need(self, code: int, problem: str, hint: str) -> None:
        if code:
            raise VreaderError(
                f"{problem}: {self._scard.SCardGetErrorMessage(code).strip()}", hint=hint
            )

    def readers(self) -> Sequence[tuple[str, bool]]:
        """Return each reader's name and whether a card is in it."""
        code, names = self._scard.SCardListReaders(self._context, [])
        if code & 0xFFFFFFFF == _NO_READERS or not names:
            return []
        self._need(code, "the readers cannot be listed", "is pcscd running?")
        asked = [(name, 0) for name in names]
        code, states = self._scard.SCardGetStatusChange(self._context, 0, asked)
        self._need(code, "the readers cannot be asked for cards", "is pcscd running?")
        return [(name, bool(state & _STATE_PRESENT)) for name, state, _ in states]

    def choose(self, name: str) -> None:
        """Connect to the card in the reader whose name is ``name``."""
        self._name = name
        code = self._connect()
        if code == _SHARING:
            self._need(code, f"the card in {name!r} is in use", "end the program that uses it")
        self._need(code, f"no card answers in {name!r}", "is the card the right way round?")

    def _connect(self) -> int:
        code, card, protocol = self._scard.SCardConnect(
            self._context, self._name, _SHARE_EXCLUSIVE, _T0 | _T1
        )
        if not code:
            self._card, self._protocol = card, protocol
        return int(code) & 0xFFFFFFFF

    @contextmanager
    def _call(self) -> Iterator[None]:
        with self._calling:
            try:
                if self._context is None or self._closing:
                    raise CardGone
                yield
            finally:
                self._release_if_closing()

    def power_up(self, *, cold: bool) -> bytes:
        """Reset the card and return its ATR; raises CardGone or CardMute."""
        with self._call():
            if self._card is None:
                self._check(self._connect())
            else:
                self._reconnect(_UNPOWER if cold else _RESET)
            code, _, _, _, atr = self._scard.SCardStatus(self._card)
            self._check(code)
            return bytes(atr)

    def power_down(self) -> None:
        """Take the card's power, and give it again: a card without power would be anybody's."""
        with self._call():
            if self._card is not None:
                self._reconnect(_UNPOWER)

    def _reconnect(self, initialization: int) -> None:
        code, protocol = self._scard.SCardReconnect(
            self._card, _SHARE_EXCLUSIVE, _T0 | _T1, initialization
        )
        self._check(code)
        self._protocol = protocol

    def transmit(self, command: bytes) -> bytes:
        """Exchange one APDU; raises CardGone or CardMute."""
        with self._call():
            if self._card is None:
                raise CardMute
            code, answer = self._scard.SCardTransmit(self._card, self._protocol, list(command))
            self._check(code)
            return bytes(answer)

    def close(self) -> None:
        """Leave the card, reset, and the service; may be called twice.

        Waits a moment for a card at work. If that is not enough the call it works for does it.
        """
        self._closing = True
        if self._calling.acquire(timeout=_PATIENCE_S):
            try:
                self._release()
            finally:
                self._calling.release()

    def _release_if_closing(self) -> None:
        if self._closing:
            self._release()

    def _release(self) -> None:
        if self._context is not None:
            self._disconnect(_RESET)
            self._scard.SCardReleaseContext(self._context)
            self._context = None

    def _disconnect(self, disposition: int) -> None:
        if self._card is not None:
            self._scard.SCardDisconnect(self._card, disposition)
            self._card = None

    def _check(self, code: int) -> None:
        code = int(code) & 0xFFFFFFFF
        if code in _GONE:
            self._disconnect(_LEAVE)
            raise CardGone
        if code:
            raise CardMute
