# SPDX-License-Identifier: Apache-2.0
"""Part C: the reader under requests as the resource manager sends them, one by one."""

from vreader.certify.bench import EITHER, IS_PRESENT, Bench
from vreader.certify.cards import BOTH, BOTH_WARM, STATUS, TestCard, t0_atr, t1_atr
from vreader.certify.check import MONITOR, RESET, Failed, Part
from vreader.certify.request import told
from vreader.smclib.ioctl import Attr, Characteristics, Ioctl, Power, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

PART = Part("C", "Resource manager simulation")
_SUCCESS, _NO_MEDIA = NTSTATUS.SUCCESS, NTSTATUS.NO_MEDIA
_STATES = "WDK Smart Card Reader States"
_POWER = "WDK IOCTL_SMARTCARD_POWER"
_PROTOCOL = "WDK IOCTL_SMARTCARD_SET_PROTOCOL"
_TRANSMIT = "WDK IOCTL_SMARTCARD_TRANSMIT"
_SEQUENCE = "WDK Smart Card Reader Example Sequence"
_OK = bytes((0, STATUS, 0x90, 0))


# ---------------------------------------------------------------------- states


@PART.check(MONITOR)
def absent(bench: Bench) -> None:
    """GET_STATE without a card is SCARD_ABSENT, before a card came and after it left."""
    bench.state_must_be(CardState.ABSENT, "of a new reader")
    bench.insert()
    bench.reader.remove()
    bench.state_must_be(CardState.ABSENT, "after the card was removed")


@PART.check(MONITOR)
def inserted(bench: Bench) -> None:
    """GET_STATE after an insertion is what the driver profile says."""
    bench.insert()
    bench.state_must_be(bench.profile.insertion_state, "after an insertion")


@PART.check("WDK IOCTL_SMARTCARD_GET_STATE")
def state_buffer(bench: Bench) -> None:
    """GET_STATE with less than four bytes of room fails as the driver profile says."""
    bench.send(Ioctl.SMARTCARD_GET_STATE, b"", 3).must_be(bench.profile.short_buffer, b"")


@PART.check(_STATES)
def no_media(bench: Bench) -> None:
    """Without a card, resets, SET_PROTOCOL and TRANSMIT get STATUS_NO_MEDIA."""
    for _ in range(2):
        bench.power(Power.COLD_RESET).must_be(_NO_MEDIA)
        bench.power(Power.WARM_RESET).must_be(_NO_MEDIA)
        bench.set_protocol(EITHER).must_be(_NO_MEDIA)
        bench.transmit(_OK, protocol=Protocol.T1).must_be(_NO_MEDIA)
        bench.ready()
        bench.reader.remove()


# ---------------------------------------------------------------------- power


def _card() -> TestCard:
    return TestCard(BOTH, BOTH_WARM)


@PART.check(RESET)
def cold_reset(bench: Bench) -> None:
    """A cold reset gives the card power and returns its ATR, to the byte."""
    card = bench.insert(_card())
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, BOTH)
    bench.state_must_be(bench.profile.reset_state, "after a cold reset")
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, BOTH)
    if card.log.count("power_on") != 2 or "reset" in card.log:
        raise Failed("a cold reset did not take the card's power and give it back")


@PART.check(RESET)
def warm_reset(bench: Bench) -> None:
    """A warm reset keeps the card's power and returns the ATR the card gives now."""
    card = bench.ready(_card())
    card.log.clear()
    bench.power(Power.WARM_RESET).must_be(_SUCCESS, BOTH_WARM)
    bench.state_must_be(bench.profile.reset_state, "after a warm reset")
    if card.log != ["reset"]:
        raise Failed("a warm reset did not keep the card's power")
    bench.ask_attribute(Attr.ATR_STRING).must_be(_SUCCESS, BOTH_WARM)


@PART.check(RESET, contact=True)
def warm_reset_without_power(bench: Bench) -> None:
    """A warm reset of a card without power is a cold one."""
    card = bench.insert(_card())
    bench.power(Power.WARM_RESET).must_be(_SUCCESS, BOTH)
    if not card.powered:
        raise Failed("the card got no power")


@PART.check(RESET)
def reset_renegotiates(bench: Bench) -> None:
    """After a reset the protocol is to be chosen anew, where the driver profile has it chosen."""
    bench.ready()
    for minor in (Power.WARM_RESET, Power.COLD_RESET):
        bench.power(minor).must_be(_SUCCESS)
        if bench.profile.reset_state is CardState.NEGOTIABLE:
            bench.transmit(_OK).must_be(NTSTATUS.INVALID_DEVICE_STATE)
        bench.choose()
        bench.must_answer(_OK, b"\x90\x00")


@PART.check(_POWER)
def power_down(bench: Bench) -> None:
    """POWER_DOWN takes the card's power, returns nothing and leads to the profile's state."""
    card = bench.ready()
    sent = bench.power(Power.POWER_DOWN)
    if not bench.profile.power_down_supported:
        sent.must_be(NTSTATUS.NOT_SUPPORTED)
        return
    sent.must_be(_SUCCESS, b"")
    bench.state_must_be(bench.profile.power_down_state, "after POWER_DOWN")
    if card.powered:
        raise Failed("POWER_DOWN left the card its power")
    bench.transmit(_OK).must_be(NTSTATUS.INVALID_DEVICE_STATE)
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")


@PART.check(_POWER)
def reset_buffer(bench: Bench) -> None:
    """A reset with too little room for an ATR fails as the driver profile says."""
    bench.insert()
    minimum = bench.profile.reset_output_minimum
    if minimum:
        bench.power(Power.COLD_RESET, minimum - 1).must_be(bench.profile.short_buffer, b"")
    else:
        bench.power(Power.COLD_RESET, len(BOTH) - 1).must_be(NTSTATUS.BUFFER_TOO_SMALL, b"")
        bench.power(Power.COLD_RESET, len(BOTH)).must_be(_SUCCESS, BOTH)


@PART.check(_POWER)
def power_input(bench: Bench) -> None:
    """POWER with an unknown minor code, or without four bytes of it, is refused."""
    bench.insert()
    bench.power(3).must_be(bench.profile.bad_power_minor)
    for data in (b"", b"\1\0\0", b"\1\0\0\0\0"):
        sent = bench.send(Ioctl.SMARTCARD_POWER, data, 33)
        sent.must_be(NTSTATUS.INVALID_PARAMETER)


@PART.check(_POWER)
def mute_reset(bench: Bench) -> None:
    """A card that does not answer a reset gets STATUS_IO_TIMEOUT and is not powered."""
    card = bench.insert()
    card.mute.add("power_on")
    bench.power(Power.COLD_RESET).must_be(NTSTATUS.IO_TIMEOUT, b"")
    if (state := bench.state()) >= CardState.POWERED:
        raise Failed(f"the state is {state.name} though the card did not answer the reset")
    card.mute.clear()
    bench.connect()


@PART.check(_POWER)
def bad_atr(bench: Bench) -> None:
    """An ATR that is none gets STATUS_UNRECOGNIZED_MEDIA, and the card is not powered."""
    for atr in (b"\x3c\x00", b"\x3b\x80\x80\x01\x02", b"\x3b"):
        bench.insert(TestCard(atr))
        bench.power(Power.COLD_RESET).must_be(NTSTATUS.UNRECOGNIZED_MEDIA, b"")
        if (state := bench.state()) >= CardState.POWERED:
            raise Failed(f"the state is {state.name} after the ATR {told(atr)}")
        bench.reader.remove()


# ---------------------------------------------------------------------- protocols


@PART.check(_PROTOCOL, protocols=EITHER)
def prefers_t1(bench: Bench) -> None:
    """Of T=0 and T=1 the reader chooses T=1, answers its bit alone, and is SPECIFIC."""
    bench.insert()
    bench.cold_reset()
    sent = bench.set_protocol(EITHER)
    sent.must_be(_SUCCESS, Protocol.T1.to_bytes(4, "little"))
    bench.state_must_be(CardState.SPECIFIC, "after SET_PROTOCOL")


@PART.check(_PROTOCOL, contact=True)
def what_was_asked_for(bench: Bench) -> None:
    """A mask with one protocol chooses that protocol."""
    for protocol in (Protocol.T0, Protocol.T1):
        if bench.speaks(protocol):
            bench.insert()
            bench.cold_reset()
            if (chosen := bench.choose(protocol)) is not protocol:
                raise Failed(f"{protocol.name} was asked for, {chosen!r} chosen")
            bench.must_answer(_OK, b"\x90\x00")
            bench.reader.remove()


@PART.check(_PROTOCOL, contact=True)
def what_the_card_has(bench: Bench) -> None:
    """A card with one protocol gets it, whatever else the mask offers."""
    for protocol, atr in ((Protocol.T0, t0_atr()), (Protocol.T1, t1_atr())):
        if bench.speaks(protocol):
            bench.insert(TestCard(atr))
            bench.cold_reset()
            if (chosen := bench.choose(EITHER)) is not protocol:
                raise Failed(f"the card speaks {protocol.name}, {chosen!r} was chosen")
            bench.reader.remove()


@PART.check(_PROTOCOL)
def default_and_optimal(bench: Bench) -> None:
    """SCARD_PROTOCOL_DEFAULT and OPTIMAL leave the choice to the reader."""
    bench.insert()
    for mask in (Protocol.UNDEFINED, Protocol.DEFAULT, Protocol.DEFAULT | EITHER):
        bench.cold_reset()
        if (chosen := bench.choose(mask)) not in (Protocol.T0, Protocol.T1):
            raise Failed(f"SET_PROTOCOL {mask:X} has chosen {chosen:X}")
        bench.must_answer(_OK, b"\x90\x00")


@PART.check(_PROTOCOL)
def unknown_protocol(bench: Bench) -> None:
    """A mask without a known protocol gets STATUS_INVALID_DEVICE_REQUEST."""
    bench.insert()
    bench.cold_reset()
    state = bench.state()
    bench.set_protocol(0x40).must_be(NTSTATUS.INVALID_DEVICE_REQUEST)
    bench.state_must_be(state, "after a refused SET_PROTOCOL")


@PART.check(_PROTOCOL)
def protocol_buffers(bench: Bench) -> None:
    """SET_PROTOCOL without four bytes in and four bytes of room is refused."""
    bench.insert()
    bench.cold_reset()
    bench.set_protocol(EITHER, 3).must_be(bench.profile.short_buffer, b"")
    for data in (b"", bytes(3), bytes(5)):
        sent = bench.send(Ioctl.SMARTCARD_SET_PROTOCOL, data, 4)
        sent.must_be(NTSTATUS.INVALID_PARAMETER)


@PART.check(_PROTOCOL)
def protocol_again(bench: Bench) -> None:
    """SET_PROTOCOL in SPECIFIC succeeds for the protocol in force and changes nothing."""
    bench.ready()
    chosen = bench.protocol
    bench.set_protocol(chosen).must_be(_SUCCESS, chosen.to_bytes(4, "little"))
    bench.set_protocol(EITHER).must_be(_SUCCESS, chosen.to_bytes(4, "little"))
    bench.must_answer(_OK, b"\x90\x00")


@PART.check(_STATES)
def not_reset(bench: Bench) -> None:
    """A card that was not reset gets STATUS_INVALID_DEVICE_STATE for SET_PROTOCOL and TRANSMIT."""
    card = bench.insert()
    bench.set_protocol(EITHER).must_be(NTSTATUS.INVALID_DEVICE_STATE)
    bench.transmit(_OK, protocol=Protocol.T1).must_be(NTSTATUS.INVALID_DEVICE_STATE)
    if card.commands:
        raise Failed("the command reached the card all the same")


@PART.check(_TRANSMIT, contact=True)
def not_negotiated(bench: Bench) -> None:
    """TRANSMIT to a card whose protocol is not chosen gets STATUS_INVALID_DEVICE_STATE."""
    card = bench.insert()
    bench.cold_reset()
    bench.transmit(_OK, protocol=Protocol.T1).must_be(NTSTATUS.INVALID_DEVICE_STATE)
    if card.commands:
        raise Failed("the command reached the card all the same")


# ---------------------------------------------------------------------- sequences


@PART.check(_SEQUENCE)
def connect(bench: Bench) -> None:
    """From every state a card can be in, acting on GET_STATE leads to SPECIFIC."""
    bench.ready()
    bench.must_answer(_OK, b"\x90\x00")
    if bench.profile.power_down_supported:
        bench.power(Power.POWER_DOWN).must_be(_SUCCESS)
    bench.connect()
    bench.power(Power.WARM_RESET).must_be(_SUCCESS)
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")


@PART.check("WDK Smart Card Driver Library Callback Routines")
def one_callback(bench: Bench) -> None:
    """While a card works other requests get STATUS_DEVICE_BUSY, and its own completes."""
    card = bench.ready()

    def happen() -> None:
        for code, data in (
            (Ioctl.SMARTCARD_GET_STATE, b""),
            (Ioctl.SMARTCARD_POWER, b"\1\0\0\0"),
            (Ioctl.SMARTCARD_TRANSMIT, bytes.fromhex("020000000800000000CA0000")),
        ):
            bench.send(code, data, 258).must_be(NTSTATUS.DEVICE_BUSY)

    bench.meanwhile(card, "transmit", happen)
    bench.must_answer(_OK, b"\x90\x00")
    if len(card.commands) != 1:
        raise Failed(f"the card got {len(card.commands)} commands instead of one")
    bench.state_must_be(CardState.SPECIFIC, "after the command")


@PART.check("WDK IRP_MJ_CLEANUP")
def close_in_command(bench: Bench) -> None:
    """Closing the reader while a card works ends the command; the next open can reset the card."""
    card = bench.ready()
    bench.meanwhile(card, "transmit", bench.device.close)
    bench.transmit(_OK).must_be_one_of(NTSTATUS.CANCELLED, _SUCCESS)
    bench.reopen()
    bench.cold_reset()
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")


@PART.check("WDK SCARD_ATTR_CHARACTERISTICS")
def mechanics(bench: Bench) -> None:
    """SWALLOW, EJECT and CONFISCATE do what CHARACTERISTICS promises, and nothing else."""
    has = Characteristics(bench.number(Attr.CHARACTERISTICS))
    for code, bit, states in (
        (Ioctl.SMARTCARD_SWALLOW, Characteristics.SWALLOWS, (CardState.SWALLOWED,)),
        (Ioctl.SMARTCARD_EJECT, Characteristics.EJECTS, (CardState.PRESENT, CardState.ABSENT)),
        (Ioctl.SMARTCARD_CONFISCATE, Characteristics.CONFISCATES, (CardState.ABSENT,)),
    ):
        if not has & bit:
            bench.send(code).must_be(NTSTATUS.NOT_SUPPORTED, b"")
            continue
        bench.send(code).must_be(_NO_MEDIA, b"")
        card = bench.insert()
        if code is not Ioctl.SMARTCARD_SWALLOW:
            bench.connect()
        what = bench.send(code)
        what.must_be(_SUCCESS, b"")
        if (state := bench.state()) not in states:
            raise Failed(f"the state is {state.name} after {what.what}")
        if card.powered:
            raise Failed(f"{what.what} left the card its power")
        if bit is Characteristics.CONFISCATES:
            bench.ask_attribute(Attr.ICC_PRESENCE).must_be(_SUCCESS, b"\4")
        if bench.reader.card is not None:
            bench.reader.remove()


@PART.check("WDK Driver Verifier")
def driver_verifier(bench: Bench) -> None:
    """A whole session passes Driver Verifier: each request is completed once, and as returned."""
    waiting = bench.send(IS_PRESENT)
    bench.insert()
    waiting.must_be(_SUCCESS)
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")
    bench.power(Power.WARM_RESET).must_be(_SUCCESS)
    bench.power(Power.POWER_DOWN).must_be_one_of(_SUCCESS, NTSTATUS.NOT_SUPPORTED)
    bench.reader.remove()
    bench.send(IS_PRESENT).must_pend()
    bench.device.cancel()
    bench.unload()
