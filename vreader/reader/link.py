# SPDX-License-Identifier: Apache-2.0
"""A link at TPDU level between the reader and an APDU-level card: both ends of T=0 or T=1.

The reader's end makes TPDUs, the card's end answers them, and each block that crosses may be
disturbed and is told to the trace. Time is not measured here: a generator yields the seconds that
pass before it goes on, and whoever runs it lets them pass on the clock. The card's own code runs
inside the generator.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

from vreader.iso7816 import Atr, AtrError
from vreader.iso7816 import pps as pps_exchange
from vreader.iso7816.pps import Pps
from vreader.iso7816.t0 import HEADER, T0Error
from vreader.iso7816.t0card import T0Card
from vreader.iso7816.t0reader import T0Reader
from vreader.iso7816.t1 import RESPONSE, WTX, Block, BlockError, T1Error
from vreader.iso7816.t1card import T1Card
from vreader.iso7816.t1reader import T1Reader
from vreader.reader.linkspec import CUT, LOSE, SPOIL, LinkSettings
from vreader.smclib.capabilities import capabilities_of
from vreader.smclib.structs import PTS_DATA, SCARD_READER_CAPABILITIES

Result = TypeVar("Result")
Steps = Generator[float, None, Result]  # yields seconds
# Told of each crossing: protocol, whether to the card, the bytes as sent, what they are, the harm.
Tell = Callable[[str, bool, bytes, str, str], None]

INITIAL_WAITING_ETU = 9600  # of a PPS response (ISO/IEC 7816-3 §9.2)


class LinkBrokenError(ValueError):
    """The ends are out of step; only a reset of the card helps."""


def tell_nobody(protocol: str, to_card: bool, raw: bytes, text: str, harm: str) -> None:
    """Stand in where nobody traces."""


class TpduLink:
    """Both ends of one protocol.

    Args:
        settings: which, and how.
        reader: what the reader's hardware can do: its clock, its data rates.

    Attributes:
        broken: an exchange was left in the middle, or has failed for good.
        disturb: what happens to blocks on their way; None for nothing.
    """

    def __init__(self, settings: LinkSettings, reader: SCARD_READER_CAPABILITIES) -> None:
        self.settings = settings
        self.disturb = settings.disturb
        self.broken = True  # until a card has been reset
        self.execute: Callable[[bytes], bytes] = bytes  # the card of the exchange in hand
        self._reader_capabilities = reader
        self._atr: Atr | None = None

    def reset(self, raw: bytes) -> bytes:
        """Start both ends anew for a card that has answered its reset with ``raw``.

        Returns:
            The ATR the reader sees: the card's own where it offers this link's protocol.
        """
        self.broken = True
        self._atr = None
        try:
            atr = Atr.parse(raw)
        except AtrError:
            return raw  # the library refuses it too
        self._atr = atr = offering(atr, self.settings.protocol)
        self.take_parameters(PTS_DATA())
        card, settings = self._card, self.settings
        if settings.kind == "t0":
            self._t0_reader = T0Reader(envelope=settings.envelope)
            self._t0_card = T0Card(
                card, takes_data=self._takes_data, nulls=settings.nulls, single=settings.single
            )
        else:
            caps = self._capabilities.T1
            crc = settings.crc or bool(caps.EDC)
            self._t1_reader = T1Reader(
                ifsc=caps.IFSC,
                ifsd=settings.ifsd or 254,
                crc=crc,
                retries=settings.retries,
                ifs_request=bool(settings.ifsd),
                repeat=settings.repeat,
            )
            self._t1_card = T1Card(card, ifsc=caps.IFSC, crc=crc, wtx=settings.wtx)
        self.broken = False
        return atr.raw

    def take_parameters(self, pts: PTS_DATA) -> None:
        """Compute the waiting times for the parameters in force."""
        assert self._atr is not None
        self._capabilities = capabilities_of(self._atr, self._reader_capabilities, pts)

    # ------------------------------------------------------------------ exchanges

    def transmit(
        self, execute: Callable[[bytes], bytes], command: bytes, tell: Tell = tell_nobody
    ) -> Steps[bytes]:
        """Carry one C-APDU to the card's ``execute`` and the R-APDU back.

        ``tell`` hears of all that crosses.

        Raises:
            T0CommandError: T=0 cannot carry it; nothing has happened.
            T0Error, T1Error: the protocol has failed; ``broken`` tells whether for good.
            LinkBrokenError: it had failed before.

        What ``execute`` raises goes through.
        """
        if self.broken:
            raise LinkBrokenError("the ends are out of step; reset the card")
        self.execute = execute
        self.broken = True  # while it lasts: it may be left in the middle
        exchange = self._transmit_t0 if self.settings.kind == "t0" else self._transmit_t1
        try:
            response = yield from exchange(command, tell)
        except (T0Error, T1Error):
            self.broken = self._end_is_broken
            raise
        self.broken = False
        return response

    @property
    def _end_is_broken(self) -> bool:
        end = self._t0_reader if self.settings.kind == "t0" else self._t1_reader
        return end.broken

    def _card(self, command: bytes) -> bytes:
        return self.execute(command)

    def _transmit_t1(self, command: bytes, tell: Tell) -> Steps[bytes]:
        end, card, caps = self._t1_reader, self._t1_card, self._capabilities.T1
        block: bytes | None = end.begin(command)
        while block is not None:
            bwt = caps.BWT * end.wtx / 1e6
            granted = end.sent.pcb == WTX | RESPONSE
            raw = self._cross(tell, "T=1", True, block, self._name(block))
            answer = None if raw is None else card.receive(raw)
            if answer is not None:
                if granted:
                    yield bwt * self.settings.busy
                answer = self._cross(tell, "T=1", False, answer, self._name(answer))
            if answer is None:
                yield bwt
            elif len(answer) < 3 or len(answer) < answer[2] + 4:
                yield caps.CWT / 1e6  # it ended too soon
            block = end.receive(answer)
        return end.response

    def _name(self, raw: bytes) -> str:
        try:
            return str(Block.parse(raw, crc=self._t1_reader.crc))
        except BlockError as error:
            return str(error)

    def _transmit_t0(self, command: bytes, tell: Tell) -> Steps[bytes]:
        end, card, wt = self._t0_reader, self._t0_card, self._capabilities.T0.WT / 1e6
        out: bytes | None = end.begin(command)
        while out is not None:
            answer: bytes | None = None
            if out:
                raw = self._cross(
                    tell, "T=0", True, out, "header" if len(out) == HEADER else "data"
                )
                answer = None if raw is None else card.receive(raw)
            if answer:
                answer = self._cross(tell, "T=0", False, answer, "")
            nulls = end.nulls
            if not answer:
                yield wt
            out = end.receive(answer)
            if end.nulls > nulls:
                yield wt * (end.nulls - nulls) * self.settings.busy
        return end.response

    def _takes_data(self, header: bytes) -> bool:
        """Whether a command brings data: a card knows that of its commands."""
        return len(self._t0_reader.tpdu) > HEADER

    # ------------------------------------------------------------------ PPS

    def select(self, pts: PTS_DATA, tell: Tell = tell_nobody) -> Steps[Pps]:
        """Ask the card for this link's protocol and the speed ``pts`` names; return what it says.

        Raises:
            PpsError: it has answered something else.
            TimeoutError: it has not answered.
        """
        assert self._atr is not None
        speed = pts.Fl << 4 | pts.Dl
        request = Pps(self.settings.protocol, None if speed == 0x11 else speed)
        self.broken = True
        raw = self._cross(tell, "PPS", True, bytes(request), "request")
        answer = None if raw is None else answer_pps(self.settings, self._atr, raw)
        if answer is not None:
            answer = self._cross(tell, "PPS", False, answer, "response")
        if answer is None:
            yield INITIAL_WAITING_ETU * self._capabilities.etu / 1e6
            raise TimeoutError("no answer to the PPS")
        agreed = request.check(answer)
        self.broken = False
        return agreed

    # ------------------------------------------------------------------ the line

    def _cross(
        self, tell: Tell, protocol: str, to_card: bool, raw: bytes, text: str
    ) -> bytes | None:
        """Let bytes cross the line; return what arrives."""
        harm = "" if self.disturb is None else self.disturb(to_card, raw)
        tell(protocol, to_card, raw, text, harm)
        if harm == LOSE:
            return None
        if harm == CUT:
            return raw[: len(raw) // 2] or None
        # A T=0 character that is spoilt is signalled and repeated at once (§7.3).
        return _spoilt(raw) if harm == SPOIL and protocol != "T=0" else raw


def answer_pps(settings: LinkSettings, atr: Atr, raw: bytes) -> bytes | None:
    """Answer a PPS request as the card of a link does; None is silence."""
    if settings.pps == "mute":
        return None
    ta1 = atr.find("TA", 1) if settings.pps == "echo" else None
    answer = pps_exchange.answer(raw, atr.protocols, ta1=ta1)
    return _spoilt(answer) if answer and settings.pps == "garbled" else answer


def _spoilt(raw: bytes) -> bytes:
    return raw[:-1] + bytes((raw[-1] ^ 0x01,))


def offering(atr: Atr, protocol: int) -> Atr:
    """Return the ATR, or one like it that offers ``protocol``."""
    fixed = atr.specific_mode
    if protocol in atr.protocols and fixed in (None, protocol):
        return atr
    return Atr.build(
        protocols=(protocol,),
        historical=atr.historical,
        ta1=atr.find("TA", 1),
        tc1=atr.find("TC", 1),
        inverse=atr.inverse,
    )
