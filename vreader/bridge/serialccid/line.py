# SPDX-License-Identifier: Apache-2.0
"""Between the reader and the card: contacts, PPS, and the card's end of T=1 and T=0.

The reader is opened as a device, which takes whole APDUs; a host on the level of TPDUs talks to the
card's end of its protocol here, which puts APDUs together. So the way of an APDU behind this line
is that of every door, and so is what comes of it: traces, locks, removal.
"""

from vreader.bridge.device import DeviceCard, DeviceHandle, Unserved
from vreader.bridge.serialccid.ccid import IccStatus, Refusal, SlotError
from vreader.errors import UsageError
from vreader.iso7816 import Atr, AtrError
from vreader.iso7816.pps import PPSS, Pps
from vreader.iso7816.t0 import HEADER, T0Error
from vreader.iso7816.t0card import T0Card
from vreader.iso7816.t1 import Block, BlockError
from vreader.iso7816.t1card import T1Card
from vreader.reader.link import Tell, answer_pps, offering, tell_nobody
from vreader.reader.linkspec import CUT, LOSE, SPOIL, LinkSettings
from vreader.smclib.capabilities import capabilities_of
from vreader.smclib.ioctl import Power, Protocol
from vreader.smclib.structs import SCARD_CARD_CAPABILITIES
from vreader.wdm import NTSTATUS

_BIT = {0: Protocol.T0, 1: Protocol.T1}
_DEFAULT_FIDI = 0x11

# What of a link's settings is the card's; the rest is the reader's end's, or kept from a host.
_THE_CARDS_AFFAIR = ("kind", "disturb", "wtx", "pps")
_AS_TYPED = {"envelope": "no-envelope"}

# bError for what the driver says; anything else is ICC_MUTE.
_ERRORS = {
    NTSTATUS.UNRECOGNIZED_MEDIA: SlotError.BAD_ATR_TS,
    NTSTATUS.NOT_SUPPORTED: SlotError.ICC_PROTOCOL_NOT_SUPPORTED,
}


class CardLine:
    """The card in an open reader, seen from the contacts; an ``Icc``.

    Args:
        handle: the reader.
        settings: how the line and the card's end behave; None is a card as its ATR has it. The
            reader's end is the host's: what the settings say of it has no meaning here.

    Attributes:
        tell: hears of all that crosses.
        failure: why the card inside could not be powered up; empty where it could, or nobody tried.
    """

    def __init__(self, handle: DeviceHandle, settings: LinkSettings | None = None) -> None:
        self._card = DeviceCard(handle)
        self._wanted = None if settings is None else settings.protocol
        self._settings = LinkSettings("t1") if settings is None else settings
        self._harmed = 0
        self.tell: Tell = tell_nobody
        self.failure = ""
        # One object for each stay of a card: what was powered before it is not powered now.
        self._stay: object | None = None
        self._powered: object | None = None
        self._atr = Atr.build()
        self._offered = self._atr.protocols
        self._protocol = 1
        self._parameters = b""
        self._may_negotiate = False
        self._selected: int | None = None
        self._t0 = T0Card(self._transmit)
        self._t1 = T1Card(self._transmit)

    @property
    def status(self) -> IccStatus:
        """See Icc."""
        stay = self._stay
        if stay is None:
            return IccStatus.ABSENT
        return IccStatus.ACTIVE if self._powered is stay else IccStatus.INACTIVE

    def moved(self, *, present: bool) -> None:
        """Note that a card has come or gone; any thread may call it."""
        self._stay = object() if present else None
        self.failure = ""

    def power_on(self) -> bytes:
        """See Icc. A card that is active gets a warm reset."""
        stay = self._stay
        warm = self.status is IccStatus.ACTIVE
        self._powered = None
        try:
            atr = Atr.parse(self._card.power(Power.WARM_RESET if warm else Power.COLD_RESET))
        except Unserved as error:
            self.failure = str(error)
            raise _refusal(error) from error
        except AtrError as error:
            self.failure = str(error)
            raise Refusal(SlotError.BAD_ATR_TS) from error
        self.failure = ""
        self._offered = atr.protocols
        self._atr = atr = atr if self._wanted is None else offering(atr, self._wanted)
        capabilities = capabilities_of(atr)
        self._selected = None
        self._t0.reset()
        self._t1 = T1Card(
            self._transmit,
            ifsc=capabilities.T1.IFSC,
            crc=bool(capabilities.T1.EDC),
            wtx=self._settings.wtx,
        )
        fixed = atr.specific_mode
        self._may_negotiate = fixed is None
        self.set_parameters(atr.default_protocol if fixed is None else fixed, None)
        self._powered = stay
        return atr.raw

    def power_off(self) -> None:
        """See Icc."""
        if self.status is not IccStatus.ACTIVE:
            return
        self._powered = None
        try:
            self._card.power(Power.POWER_DOWN)
        except Unserved:
            pass  # it has left, and its power with it

    def parameters(self) -> tuple[int, bytes]:
        """See Icc."""
        return self._protocol, self._parameters

    def set_parameters(self, protocol: int, data: bytes | None) -> None:
        """See Icc."""
        if protocol not in self._atr.protocols or protocol not in _BIT:
            raise Refusal(SlotError.BAD_PARAMETER)
        self._protocol = protocol
        self._parameters = _initial(protocol, capabilities_of(self._atr)) if data is None else data

    def exchange(self, tpdu: bytes) -> bytes:
        """See Icc."""
        # Only the first bytes after an ATR can be a PPS request, and only in negotiable mode.
        may_negotiate, self._may_negotiate = self._may_negotiate, False
        try:
            if may_negotiate and tpdu[0] == PPSS:
                reply = self._negotiate(tpdu)
            elif self._protocol == 1:
                reply = self._exchange_block(tpdu)
            else:
                reply = self._exchange_command(tpdu)
        except T0Error as error:
            raise Refusal(SlotError.BAD_LENGTH) from error
        except Unserved as error:
            raise _refusal(error) from error
        if reply is None:
            raise Refusal(SlotError.ICC_MUTE)
        return reply

    def _negotiate(self, request: bytes) -> bytes | None:
        """Answer a PPS request as the card does."""
        self.tell("PPS", True, request, "request", "")
        reply = answer_pps(self._settings, self._atr, request)
        if reply is not None:
            self.tell("PPS", False, reply, "response", "")
            self.set_parameters(Pps.parse(request).protocol, None)
        return reply

    def _exchange_block(self, block: bytes) -> bytes | None:
        """Carry a block of T=1 to the card, and its answer back."""
        came = self._carry(True, block)
        reply = None if came is None else self._t1.receive(came)
        return None if reply is None else self._carry(False, reply)

    def _exchange_command(self, command: bytes) -> bytes:
        """Carry a command TPDU of T=0 to the card, and its answer back."""
        tpdu = _command_tpdu(command)
        self.tell("T=0", True, tpdu, "command", "")
        reply = self._t0.exchange(tpdu)
        self.tell("T=0", False, reply, "response", "")
        return reply

    def _carry(self, to_card: bool, block: bytes) -> bytes | None:
        """Return what of a block arrives."""
        disturb = self._settings.disturb
        harm = "" if disturb is None else disturb(to_card, block)
        if self.tell is not tell_nobody:
            self.tell("T=1", to_card, block, self._name(block), harm)
        if not harm:
            return block
        self._harmed += 1
        if harm == LOSE:
            return None
        if harm == CUT:
            return block[: len(block) // 2]
        assert harm == SPOIL
        # Every byte gets its turn: address, control, length, information and check bytes.
        at = self._harmed % len(block)
        return block[:at] + bytes((block[at] ^ (1 << self._harmed % 8),)) + block[at + 1 :]

    def _name(self, block: bytes) -> str:
        try:
            return str(Block.parse(block, crc=self._t1.crc))
        except BlockError as error:
            return str(error)

    def _transmit(self, c_apdu: bytes) -> bytes:
        if self._selected != self._protocol:
            # A card that was made to offer another protocol than its own is asked by its own.
            any_protocol = Protocol.T0 | Protocol.T1
            own = self._protocol in self._offered
            self._card.select_protocol(_BIT[self._protocol] if own else any_protocol)
            self._selected = self._protocol
        return self._card.transmit(c_apdu)


def parse_link(text: str) -> LinkSettings:
    """Read the settings of a line; raises UsageError, also for what the host decides itself."""
    settings = LinkSettings.parse(text)
    for name in LinkSettings._fields:
        if name in _THE_CARDS_AFFAIR:
            continue
        if getattr(settings, name) != LinkSettings._field_defaults[name]:
            option = _AS_TYPED.get(name, name)
            raise UsageError(
                f"link option {option!r} means nothing where the driver is the reader's end",
                hint="with --stack twin: spoil, lose, cut, seed, wtx, pps",
            )
    return settings


def _command_tpdu(command: bytes) -> bytes:
    """Make a command TPDU of what hosts send for one (ISO/IEC 7816-3:2006 section 12.2).

    Case 1 comes without P3, and case 4 often with an Le that T=0 cannot carry.
    """
    if len(command) == HEADER - 1:
        return command + b"\0"
    end = HEADER + command[HEADER - 1] if len(command) > HEADER else HEADER
    return command[:end] if len(command) == end + 1 else command


def _refusal(error: Unserved) -> Refusal:
    if error.status is None:
        return Refusal(SlotError.ICC_MUTE)
    return Refusal(_ERRORS.get(error.status, SlotError.ICC_MUTE))


def _initial(protocol: int, card: SCARD_CARD_CAPABILITIES) -> bytes:
    """Return abProtocolDataStructure as it is before anybody sets it (CCID 1.1 section 6.2.3)."""
    convention = card.InversConvention << 1
    if protocol == 0:
        return bytes((_DEFAULT_FIDI, convention, card.N, card.T0.WI, 0))
    t1 = card.T1
    check = 0x10 | convention | t1.EDC
    return bytes((_DEFAULT_FIDI, check, card.N, t1.BWI << 4 | t1.CWI, 0, t1.IFSC, 0))
