# SPDX-License-Identifier: Apache-2.0
"""Part D: commands and answers of every length and kind, with test cards."""

from functools import partial

from vreader.certify.bench import EITHER, Bench
from vreader.certify.cards import (
    E_GATE,
    ECHO,
    READ,
    RECORD,
    SELECT,
    SICRYPT,
    STATUS,
    WRITE,
    TestCard,
    pattern,
    t0_atr,
    t1_atr,
)
from vreader.certify.check import CONVENTIONS, MODES, PACKETS, Failed, Part
from vreader.certify.request import told
from vreader.iso7816 import CommandApdu
from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl, Power, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

PART = Part("D", "Protocol")
_SUCCESS = NTSTATUS.SUCCESS
_TRANSMIT = "WDK IOCTL_SMARTCARD_TRANSMIT"
_TEST = "HLK smart card reader test, prerequisites"
_ISO = "ISO/IEC 7816-3 and 7816-4"
_T0, _T1 = Protocol.T0, Protocol.T1
_OK = b"\x90\x00"


def _read(length: int) -> bytes:
    return bytes(CommandApdu(0, READ, ne=length))


def _write(length: int) -> bytes:
    return bytes(CommandApdu(0, WRITE, data=pattern(length)))


def _reads_and_writes(bench: Bench, card: TestCard, lengths: range) -> None:
    """Read and write so many bytes of data; nothing may be lost or changed on the way."""
    for length in lengths:
        bench.must_answer(_read(length), pattern(length) + _OK)
        bench.must_answer(_write(min(length, 255)), _OK)
        if card.written != pattern(min(length, 255)):
            raise Failed(f"a command with {length} bytes of data was changed on its way")


@PART.check(_ISO)
def four_cases(bench: Bench) -> None:
    """Commands of all four cases, with data and without, reach the card and are answered."""
    card = bench.ready()
    bench.must_answer(bytes((0, STATUS, 0x90, 0)), _OK)
    bench.must_answer(_read(5), pattern(5) + _OK)
    bench.must_answer(_write(5), _OK)
    bench.must_answer(bytes(CommandApdu(0, ECHO, data=b"data", ne=256)), b"data" + _OK)
    if card.written != pattern(5):
        raise Failed(f"the card got {told(card.written)} instead of {told(pattern(5))}")


@PART.check(_ISO)
def lengths(bench: Bench) -> None:
    """Answers of any length, and data of any length, pass unchanged."""
    card = bench.ready()
    _reads_and_writes(bench, card, range(1, 6))
    _reads_and_writes(bench, card, range(29, 34))  # the smallest field of T=1 holds 32 bytes
    _reads_and_writes(bench, card, range(126, 130))


@PART.check(PACKETS, protocols=_T1, contact=True)
def packets_of_258_bytes(bench: Bench) -> None:
    """T=1 with an LRC: full blocks, 258 bytes with all around them, pass in both directions."""
    card = bench.ready(TestCard(t1_atr()))
    _reads_and_writes(bench, card, range(247, 257))


@PART.check(PACKETS, protocols=_T1, contact=True)
def packets_of_259_bytes(bench: Bench) -> None:
    """T=1 with a CRC: full blocks, 259 bytes with all around them, pass in both directions."""
    card = bench.ready(TestCard(t1_atr(crc=True)))
    _reads_and_writes(bench, card, range(247, 257))


@PART.check(PACKETS, protocols=_T0, contact=True)
def t0_answer_of_258_bytes(bench: Bench) -> None:
    """T=0: 256 bytes and a status word come in one answer, 255 bytes of data in one command."""
    card = bench.ready(TestCard(t0_atr()))
    _reads_and_writes(bench, card, range(253, 257))


@PART.check(PACKETS, protocols=_T1)
def extended_length(bench: Bench) -> None:
    """T=1: commands and answers of extended length pass, also where they take several blocks."""
    card = bench.ready()
    for length in (257, 258, 259, 1000):
        bench.must_answer(_read(length), pattern(length) + _OK)
        bench.must_answer(_write(length), _OK)
        if card.written != pattern(length):
            raise Failed(f"a command with {length} bytes of data was changed on its way")


def _converse(bench: Bench, atr: bytes) -> None:
    """Reset a card with this ATR and exchange something in each direction."""
    card = bench.insert(TestCard(atr))
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, atr)
    bench.connect()
    _reads_and_writes(bench, card, range(16, 18))
    bench.reader.remove()


@PART.check(CONVENTIONS, contact=True)
def direct_convention(bench: Bench) -> None:
    """A card of direct convention (TS 3B) is reset and answers."""
    for protocol, atr in ((_T0, t0_atr()), (_T1, t1_atr())):
        if bench.speaks(protocol):
            _converse(bench, atr)


@PART.check(CONVENTIONS, contact=True)
def inverse_convention(bench: Bench) -> None:
    """A card of inverse convention (TS 3F) is reset and answers."""
    for protocol, atr in ((_T0, t0_atr(inverse=True)), (_T1, t1_atr(inverse=True))):
        if bench.speaks(protocol):
            _converse(bench, atr)


@PART.check(MODES, contact=True)
def negotiable_mode(bench: Bench) -> None:
    """A card without TA2 is NEGOTIABLE after its reset and SPECIFIC after SET_PROTOCOL."""
    for protocol, atr in ((_T0, t0_atr()), (_T1, t1_atr())):
        if bench.speaks(protocol):
            bench.insert(TestCard(atr))
            bench.cold_reset()
            bench.state_must_be(CardState.NEGOTIABLE, "of a card in negotiable mode")
            bench.choose(protocol)
            bench.state_must_be(CardState.SPECIFIC, "after SET_PROTOCOL")
            bench.must_answer(_read(4), pattern(4) + _OK)
            bench.reader.remove()


@PART.check(MODES, contact=True)
def specific_mode(bench: Bench) -> None:
    """A card with TA2 is SPECIFIC after its reset, with the protocol that TA2 names."""
    for protocol, atr in ((_T0, t0_atr(specific=True)), (_T1, t1_atr(specific=True))):
        if bench.speaks(protocol):
            bench.insert(TestCard(atr))
            bench.cold_reset()
            bench.state_must_be(CardState.SPECIFIC, "of a card in specific mode")
            bench.protocol = protocol
            bench.must_answer(_read(4), pattern(4) + _OK)
            bench.reader.remove()


@PART.check(MODES, contact=True, protocols=EITHER)
def specific_mode_is_fixed(bench: Bench) -> None:
    """The protocol of a card in specific mode cannot be changed by SET_PROTOCOL."""
    bench.insert(TestCard(t0_atr(specific=True)))
    bench.cold_reset()
    any_mask = bench.profile.specific_any_mask
    bench.set_protocol(_T1).must_be(_SUCCESS if any_mask else NTSTATUS.NOT_SUPPORTED)
    bench.protocol = _T0
    bench.must_answer(_read(4), pattern(4) + _OK)


@PART.check(_TEST, contact=True, protocols=EITHER)
def t1_on_t0_card(bench: Bench) -> None:
    """SET_PROTOCOL T=1 on a T=0 card gets ERROR_NOT_SUPPORTED; T=0 can still be chosen."""
    bench.insert(TestCard(E_GATE))
    bench.cold_reset()
    bench.set_protocol(_T1).must_be(NTSTATUS.NOT_SUPPORTED, b"")
    bench.state_must_be(CardState.NEGOTIABLE, "after a refused SET_PROTOCOL")
    if bench.choose(_T0) is not _T0:
        raise Failed("T=0 could not be chosen afterwards")


@PART.check(_TEST, contact=True, protocols=_T1)
def long_atr(bench: Bench) -> None:
    """A long ATR whose third group has the parameters of T=1 (SiCrypt) is understood."""
    bench.insert(TestCard(SICRYPT))
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, SICRYPT)
    if bench.choose(EITHER) is not _T1:
        raise Failed("T=1 was not chosen")
    bench.must_answer(_read(4), pattern(4) + _OK)


@PART.check(_TEST)
def mute_card(bench: Bench) -> None:
    """A card that does not answer a command gets ERROR_SEM_TIMEOUT; a reset brings it back."""
    card = bench.ready(TestCard(t1_atr()) if bench.speaks(_T1) else TestCard(t0_atr()))
    card.mute.add("transmit")
    bench.transmit(_read(4)).must_be(NTSTATUS.IO_TIMEOUT, b"")
    card.mute.clear()
    bench.cold_reset()
    bench.connect()
    bench.must_answer(_read(4), pattern(4) + _OK)


@PART.check(_TEST)
def reply_too_small(bench: Bench) -> None:
    """An answer of 10 bytes with room for 9 gets ERROR_INSUFFICIENT_BUFFER and no bytes."""
    bench.ready()
    bench.transmit(_read(8), IO_REQUEST_SIZE + 9).must_be(NTSTATUS.BUFFER_TOO_SMALL, b"")
    bench.transmit(_read(8), IO_REQUEST_SIZE + 10).must_be(_SUCCESS)


@PART.check(_TEST)
def inconsistent_lc(bench: Bench) -> None:
    """Lc that does not fit the data gets ERROR_INVALID_PARAMETER, or reaches the card as it is."""
    card = bench.ready()
    select = bytes((0, SELECT, 4, 0, 7, 0xA0, 0))
    sent = bench.transmit(select)
    if sent.must_be_one_of(NTSTATUS.INVALID_PARAMETER, _SUCCESS) is _SUCCESS:
        if card.commands != [select]:
            raise Failed("the command was changed on its way")
        sent.must_be(_SUCCESS, _header(bench) + b"\x67\x00")
    elif card.commands:
        raise Failed("the command reached the card all the same")
    bench.must_answer(_read(4), pattern(4) + _OK)


@PART.check(_TEST)
def slow_card(bench: Bench) -> None:
    """A card that takes its time is waited for, while the reader goes on serving."""
    card = bench.ready()
    for units in (1, 2, 5, 30):
        bench.meanwhile(card, "transmit", partial(_use, bench, units))
        bench.must_answer(_read(4), pattern(4) + _OK)


def _use(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.send(Ioctl.SMARTCARD_GET_STATE, b"", 4).must_be(NTSTATUS.DEVICE_BUSY)


@PART.check(_ISO)
def status_words(bench: Bench) -> None:
    """Whatever status word a card answers reaches the caller, 61xx and 6Cxx too."""
    bench.ready()
    for sw in (b"\x90\x00", b"\x61\x10", b"\x6c\x10", b"\x63\xc2", b"\x6a\x82", b"\x9f\x10"):
        if (found := bench.answer(bytes((0, STATUS)) + sw)) != sw:
            raise Failed(f"the card answered {told(sw)}, the caller got {told(found)}")


@PART.check(_ISO)
def wrong_le(bench: Bench) -> None:
    """6Cxx for a wrong Le reaches the caller, and the command with the right one its data."""
    bench.ready()
    if (found := bench.answer(bytes((0, RECORD, 9, 0, 5)))) != b"\x6c\x09":
        raise Failed(f"the card answered 6C 09, the caller got {told(found)}")
    bench.must_answer(bytes((0, RECORD, 9, 0, 9)), pattern(9) + _OK)


def _header(bench: Bench) -> bytes:
    return bench.protocol.to_bytes(4, "little") + IO_REQUEST_SIZE.to_bytes(4, "little")


@PART.check(_TRANSMIT)
def reply_header(bench: Bench) -> None:
    """The reply begins with SCARD_IO_REQUEST: the protocol and its own length."""
    bench.ready()
    bench.transmit(_read(4)).must_be(_SUCCESS, _header(bench) + pattern(4) + _OK)


@PART.check(_TRANSMIT)
def longer_header(bench: Bench) -> None:
    """The command begins where cbPciLength says, which must be possible."""
    card = bench.ready()
    bench.transmit(_read(4), pci=bytes(4)).must_be(_SUCCESS, _header(bench) + pattern(4) + _OK)
    if card.commands != [_read(4)]:
        raise Failed(f"the card got {told(card.commands[0])} instead of {told(_read(4))}")
    for length in (0, 7, 100):
        sent = bench.transmit(_read(4), pci_length=length)
        sent.must_be(NTSTATUS.INVALID_PARAMETER)


@PART.check(_TRANSMIT)
def short_request(bench: Bench) -> None:
    """TRANSMIT with less than a header, or without room for a status word, is refused."""
    bench.ready()
    for size in (0, bench.profile.transmit_input_minimum - 1):
        sent = bench.send(Ioctl.SMARTCARD_TRANSMIT, (_header(bench) + b"\0")[:size], 258)
        sent.must_be(NTSTATUS.INVALID_PARAMETER)
    bench.transmit(_read(4), IO_REQUEST_SIZE + 1).must_be(bench.profile.short_buffer)


@PART.check(_TRANSMIT)
def other_protocol(bench: Bench) -> None:
    """TRANSMIT with another protocol than the one in force gets STATUS_INVALID_DEVICE_STATE."""
    card = bench.ready()
    for protocol in (Protocol.UNDEFINED, bench.protocol ^ EITHER, EITHER, Protocol.RAW):
        sent = bench.transmit(_read(4), protocol=protocol)
        sent.must_be_one_of(NTSTATUS.INVALID_DEVICE_STATE, NTSTATUS.INVALID_DEVICE_REQUEST)
    if card.commands:
        raise Failed("the command reached the card all the same")
