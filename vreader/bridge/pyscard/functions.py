# SPDX-License-Identifier: Apache-2.0
"""The functions of pyscard's compiled part over one resource manager."""

import threading
from collections.abc import Callable
from typing import Any

from vreader.bridge.pyscard.arguments import number, octets, states, string, strings
from vreader.bridge.pyscard.database import DatabaseFunctions
from vreader.bridge.pyscard.numbers import Numbers
from vreader.bridge.pyscard.shapes import Answer, code, told, values
from vreader.host.scard import ScardApi
from vreader.host.scard_status import NothingChangedError
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.status_change import ReaderState


class Functions(DatabaseFunctions):
    """What pyscard calls.

    Args:
        api: the resource manager.
        numbers: those of the machine's pyscard.

    Attributes:
        contexts: those that are held.
        cards: connections that are held, and the context of each.
    """

    def __init__(self, api: ScardApi, numbers: Numbers) -> None:
        super().__init__(api, numbers)
        self.contexts: set[int] = set()
        self.cards: dict[int, int] = {}
        self._ended = False
        self._waits = 0
        self._nobody_waits = threading.Condition()

    # ------------------------------------------------------------------ contexts

    @values(0)
    def SCardEstablishContext(self, dwscope: int) -> Answer:
        """Return [code, hcontext]."""
        context = self._api.SCardEstablishContext(number(dwscope))
        self.contexts.add(context)
        return [context]

    def SCardReleaseContext(self, hcontext: int) -> int:
        """Return the code."""
        result = self._let_go(hcontext, self._api.SCardReleaseContext, hcontext)
        if not result:
            self.contexts.discard(hcontext)
            for card in [card for card, context in self.cards.items() if context == hcontext]:
                del self.cards[card]
        return result

    @code
    def SCardIsValidContext(self, hcontext: int) -> None:
        """Return the code."""
        self._api.SCardIsValidContext(hcontext)

    @code
    def SCardCancel(self, hcontext: int) -> None:
        """Return the code."""
        self._api.SCardCancel(hcontext)

    # ------------------------------------------------------------------ readers

    @values([])
    def SCardListReaders(self, hcontext: int, readergroups: list[str]) -> Answer:
        """Return [code, names]."""
        return [self._api.SCardListReaders(hcontext, strings(readergroups))]

    @values([])
    def SCardListReaderGroups(self, hcontext: int) -> Answer:
        """Return [code, groups]."""
        return [self._api.SCardListReaderGroups(hcontext)]

    def SCardGetStatusChange(
        self, hcontext: int, dwtimeout: int, readerstatelist: list[Any]
    ) -> Answer:
        """Return [code, states]; also after a time-out they say what is true."""
        asked = states(readerstatelist)
        limit = Numbers.timeout(number(dwtimeout))
        with self._nobody_waits:
            self._waits += 1
        try:
            return [0, told(self._api.SCardGetStatusChange(hcontext, limit, asked))]
        except NothingChangedError as error:
            return [self.numbers.code(error.code), told(error.states)]
        except ScardError as error:
            reason = SCARD.E_CANCELLED if self._ended else error.code
            return [self.numbers.code(reason), [(state.reader, 0, []) for state in asked]]
        finally:
            with self._nobody_waits:
                self._waits -= 1
                self._nobody_waits.notify_all()

    # ------------------------------------------------------------------ connections

    @values(0, 0)
    def SCardConnect(
        self, hcontext: int, readername: str, dwsharemode: int, dwpreferredprotocols: int
    ) -> Answer:
        """Return [code, hcard, protocol]."""
        card, protocol = self._api.SCardConnect(
            hcontext,
            string(readername),
            number(dwsharemode),
            self.numbers.protocols_in(number(dwpreferredprotocols)),
        )
        self.cards[card] = hcontext
        return [card, self.numbers.protocols_out(protocol)]

    @values(0)
    def SCardReconnect(
        self, hcard: int, dwsharemode: int, dwpreferredprotocols: int, dwinitialization: int
    ) -> Answer:
        """Return [code, protocol]."""
        protocol = self._api.SCardReconnect(
            hcard,
            number(dwsharemode),
            self.numbers.protocols_in(number(dwpreferredprotocols)),
            number(dwinitialization),
        )
        return [self.numbers.protocols_out(protocol)]

    def SCardDisconnect(self, hcard: int, dwdisposition: int) -> int:
        """Return the code."""
        disposition = number(dwdisposition)
        result = self._let_go(hcard, self._api.SCardDisconnect, hcard, disposition)
        if not result:
            self.cards.pop(hcard, None)
        return result

    @code
    def SCardBeginTransaction(self, hcard: int) -> None:
        """Return the code."""
        self._api.SCardBeginTransaction(hcard)

    @code
    def SCardEndTransaction(self, hcard: int, dwdisposition: int) -> None:
        """Return the code."""
        self._api.SCardEndTransaction(hcard, number(dwdisposition))

    @values("", 0, 0, [])
    def SCardStatus(self, hcard: int) -> Answer:
        """Return [code, name, state, protocol, ATR]."""
        status = self._api.SCardStatus(hcard)
        asked = [ReaderState(status.reader)]
        now = self._api.SCardGetStatusChange(self.cards[hcard], 0, asked)[0]
        return [
            status.reader,
            self.numbers.state(status.state, now.event_state),
            self.numbers.protocols_out(status.protocol),
            list(status.atr),
        ]

    def SCardTransmit(self, hcard: int, piosendpci: int, apducommand: list[int]) -> Answer:
        """Return [code, R-APDU]."""
        command = octets(apducommand)
        protocol = self.numbers.headers.get(piosendpci)
        if protocol is None:
            return [self.numbers.code(SCARD.E_INVALID_PARAMETER), []]
        try:
            return [0, list(self._api.SCardTransmit(hcard, protocol, command))]
        except ScardError as error:
            return [self.numbers.code(error.code), []]

    @values([])
    def SCardControl(self, hcard: int, dwcontrolcode: int, inbuffer: list[int]) -> Answer:
        """Return [code, answer]."""
        return [list(self._api.SCardControl(hcard, number(dwcontrolcode), octets(inbuffer)))]

    @values([])
    def SCardGetAttrib(self, hcard: int, dwattrid: int) -> Answer:
        """Return [code, value]."""
        return [list(self._api.SCardGetAttrib(hcard, number(dwattrid)))]

    @code
    def SCardSetAttrib(self, hcard: int, dwattrid: int, value: list[int]) -> None:
        """Return the code."""
        self._api.SCardSetAttrib(hcard, number(dwattrid), octets(value))

    # ------------------------------------------------------------------

    def cancel_waits(self) -> None:
        """End what waits for changes, with CANCELLED."""
        for context in list(self.contexts):
            self.SCardCancel(context)

    def end(self, limit_s: float) -> None:
        """End what waits and release every context; who holds them still does.

        Args:
            limit_s: how long whoever waits may take to be gone.
        """
        self._ended = True
        self.cancel_waits()
        for context in list(self.contexts):
            try:
                self._api.SCardReleaseContext(context)
            except ScardError:
                pass  # the host has been closed, and its contexts with it
        with self._nobody_waits:
            self._nobody_waits.wait_for(lambda: not self._waits, limit_s)

    def _let_go(self, handle: int, call: Callable[..., object], *args: int) -> int:
        """Give a handle back; with a host that is closed, that is done already."""
        try:
            call(*args)
        except ScardError as error:
            held = handle in self.contexts or handle in self.cards
            if not (held and error.code is SCARD.E_NO_SERVICE):
                return self.numbers.code(error.code)
        return 0
