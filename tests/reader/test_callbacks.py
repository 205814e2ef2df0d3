# SPDX-License-Identifier: Apache-2.0
"""The virtual reader's RDF_* callbacks, seen through its device."""

import pytest

from vreader.iso7816 import Atr
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.profile import NFC, DriverProfile
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

T0, T1, RAW, DEFAULT = 1, 2, 0x10000, 0x80000000
BOTH, T1_FIRST = (bytes(Atr.build(protocols=offered)) for offered in ((0, 1), (1, 0)))
ONLY_T0 = bytes.fromhex("3B02ABCD")
ONLY_T1 = bytes(Atr.build(protocols=(1,)))


def u32(value):
    return value.to_bytes(4, "little")


@pytest.mark.wdk(
    "example.get-state",
    "example.power",
    "example.set-protocol",
    "example.transmit-bytes",
    "example.get-attribute-atr",
    "example.get-attribute-vendor",
    "example.set-attribute",
    "callback.card-power.atr",
    "callback.transmit.data",
    "ioctl.transmit.data",
)
def test_byte_examples(rig, make_card):
    """The documented examples of each request, end to end."""
    card = rig.insert(make_card(ONLY_T1))
    assert rig.ioctl(0x00310004, bytes.fromhex("01000000"), 33) == (NTSTATUS.SUCCESS, ONLY_T1)
    assert rig.ioctl(0x00310030, bytes.fromhex("03000000"), 4)[1] == bytes.fromhex("02000000")
    assert rig.ioctl(0x00310038, b"", 4)[1] == bytes.fromhex("06000000")
    card.script = [b"\x6a\x82"]
    request = bytes.fromhex("0200000008000000 00A4040009A0000003080000100000")
    reply = rig.ioctl(0x00310014, request, 266)
    assert reply == (NTSTATUS.SUCCESS, bytes.fromhex("0200000008000000 6A82"))
    assert card.log[-1] == request[8:]
    assert rig.ioctl(0x00310008, bytes.fromhex("03030900"), 33)[1] == ONLY_T1
    assert rig.ioctl(0x00310008, bytes.fromhex("00010100"), 32)[1] == b"Virtual"
    assert rig.ioctl(0x0031000C, bytes.fromhex("0200FF7F01000000")) == (NTSTATUS.SUCCESS, b"")


# ------------------------------------------------------------------ power


@pytest.mark.wdk(
    "callback.card-power.cold", "callback.card-power.warm", "transition.reset.negotiable"
)
def test_cold_and_warm_reset_reach_the_card_as_such(rig):
    card = rig.insert()
    for minor in (1, 2, 1):
        assert rig.power(minor) == (NTSTATUS.SUCCESS, card.atr)
        assert rig.state is CardState.NEGOTIABLE
    assert card.log == ["on", "reset", "on"]


@pytest.mark.wdk("transition.reset.warm-unpowered", "callback.card-power.warm")
def test_a_warm_reset_of_an_unpowered_card_is_a_cold_one(rig):
    card = rig.insert()
    rig.power(2)
    rig.power(0)
    rig.power(2)
    assert card.log == ["on", "off", "on"]


@pytest.mark.wdk("callback.card-power.down", "transition.specific.power-down")
def test_power_down_forgets_the_protocol(rig):
    rig.ready()
    assert rig.power(0, out=0) == (NTSTATUS.SUCCESS, b"")
    assert rig.state is CardState.SWALLOWED
    assert rig.apdu()[0] is NTSTATUS.INVALID_DEVICE_STATE


@pytest.mark.wdk("check.power.protocol")
def test_a_reset_forgets_the_protocol(rig):
    rig.ready()
    rig.power(2)
    assert rig.state is CardState.NEGOTIABLE
    assert rig.apdu()[0] is NTSTATUS.INVALID_DEVICE_STATE


@pytest.mark.wdk("ioctl.power.unrecognized-media")
@pytest.mark.parametrize("atr", [b"\x3b", b"\x00" * 33, b"\x3b" + bytes(40)], ids=len)
def test_a_garbled_atr_is_unrecognized_media(rig, make_card, atr):
    rig.insert(make_card(atr))
    assert rig.power() == (NTSTATUS.UNRECOGNIZED_MEDIA, b"")
    assert rig.state is CardState.SWALLOWED


@pytest.mark.wdk("transition.reset.specific", "check.set-protocol.specific")
def test_ta2_fixes_the_protocol(rig, make_card):
    rig.insert(make_card(bytes(Atr.build(protocols=(1,), ta2=0x81))))
    rig.power()
    assert rig.state is CardState.SPECIFIC
    assert rig.apdu()[0] is NTSTATUS.SUCCESS
    assert rig.protocol(T0)[0] is NTSTATUS.NOT_SUPPORTED
    assert rig.protocol(T0 | T1) == (NTSTATUS.SUCCESS, u32(T1))


@pytest.mark.wdk("ioctl.power.nfc-reset", "transition.reset.negotiable")
@pytest.mark.parametrize(("atr", "protocol"), [(BOTH, T1), (ONLY_T1, T1), (ONLY_T0, T0)])
def test_an_nfc_reader_leaves_nothing_to_negotiate(make_rig, make_card, atr, protocol):
    rig = make_rig(NFC)
    rig.insert(make_card(atr))
    assert rig.power(out=len(atr)) == (NTSTATUS.SUCCESS, atr)
    assert rig.state is CardState.SPECIFIC
    request = u32(Attr.CURRENT_PROTOCOL_TYPE)
    assert rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, request, 4)[1] == u32(protocol)
    assert rig.protocol(3) == (NTSTATUS.SUCCESS, u32(protocol))
    header = u32(protocol) + u32(8)
    answer = rig.ioctl(Ioctl.SMARTCARD_TRANSMIT, header + b"\0\1\2\3", 10)
    assert answer == (NTSTATUS.SUCCESS, header + b"\x90\x00")


@pytest.mark.wdk("transition.absent.insertion", "transition.specific.power-down")
def test_a_profile_with_the_pscr_samples_states(make_rig):
    rig = make_rig(
        DriverProfile("pscr", insertion_state=CardState.PRESENT, power_down_state=CardState.PRESENT)
    )
    rig.insert()
    assert rig.state is CardState.PRESENT
    assert rig.ioctl(Ioctl.SMARTCARD_SWALLOW) == (NTSTATUS.NOT_SUPPORTED, b"")
    assert rig.power()[0] is NTSTATUS.SUCCESS
    rig.power(0)
    assert rig.state is CardState.PRESENT


# ------------------------------------------------------------------ protocol


@pytest.mark.wdk(
    "callback.set-protocol.reply",
    "callback.set-protocol.prefers-t1",
    "ioctl.set-protocol.chosen",
    "ioctl.set-protocol.not-supported",
    "ioctl.set-protocol.single",
    "ioctl.set-protocol.default",
    "check.set-protocol.intersection",
    "transition.negotiable.set-protocol-fails",
    "transition.negotiable.set-protocol",
)
@pytest.mark.parametrize(
    ("atr", "mask", "chosen"),
    [
        (BOTH, T0 | T1, T1),
        (BOTH, T0, T0),
        (BOTH, T1, T1),
        (BOTH, RAW, RAW),
        (BOTH, T0 | RAW, T0),
        (BOTH, 0, T1),
        (BOTH, DEFAULT, T0),  # what the card speaks when nobody asks
        (T1_FIRST, DEFAULT, T1),
        (BOTH, DEFAULT | T0, T0),
        (T1_FIRST, DEFAULT | T0, T0),
        (BOTH, DEFAULT | T0 | T1, T1),
        (ONLY_T0, T0 | T1, T0),
        (ONLY_T0, DEFAULT, T0),
        (ONLY_T0, T1, None),
        (ONLY_T1, T0, None),
        (ONLY_T1, T0 | T1 | RAW, T1),
    ],
)
def test_the_mask_and_the_card_choose(rig, make_card, atr, mask, chosen):
    rig.insert(make_card(atr))
    rig.power()
    if chosen is None:
        assert rig.protocol(mask) == (NTSTATUS.NOT_SUPPORTED, b"")
        assert rig.state is CardState.NEGOTIABLE
    else:
        assert rig.protocol(mask) == (NTSTATUS.SUCCESS, u32(chosen))
        assert rig.state is CardState.SPECIFIC


@pytest.mark.wdk("transition.specific.set-protocol", "check.set-protocol.specific")
@pytest.mark.parametrize(
    ("mask", "status"),
    [
        (T1, NTSTATUS.SUCCESS),
        (T0 | T1, NTSTATUS.SUCCESS),
        (0, NTSTATUS.SUCCESS),
        (DEFAULT, NTSTATUS.SUCCESS),
        (T0, NTSTATUS.NOT_SUPPORTED),
        (RAW, NTSTATUS.NOT_SUPPORTED),
    ],
)
def test_a_chosen_protocol_stays(rig, mask, status):
    rig.ready()
    assert rig.protocol(mask) == (status, u32(T1) if status is NTSTATUS.SUCCESS else b"")
    assert rig.state is CardState.SPECIFIC
    assert rig.apdu()[0] is NTSTATUS.SUCCESS


# ------------------------------------------------------------------ the rest


@pytest.mark.wdk("ioctl.eject.not-supported", "ioctl.swallow.not-supported")
@pytest.mark.parametrize(
    "code", [Ioctl.SMARTCARD_EJECT, Ioctl.SMARTCARD_SWALLOW, Ioctl.SMARTCARD_CONFISCATE]
)
@pytest.mark.parametrize("card_in", [False, True])
def test_a_reader_without_mechanics(rig, code, card_in):
    if card_in:
        rig.insert()
    assert rig.ioctl(code) == (NTSTATUS.NOT_SUPPORTED, b"")


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        (0x00313520, "1204 00312048"),
        (0x42000D48, "1204 42330012"),
        (0x00312048, "0A04 00000100"),
        (0x42330012, "0A04 00000100"),
    ],
)
def test_features_of_pcsc_part_10(rig, code, reply):
    reply = bytes.fromhex(reply)
    assert rig.ioctl(code, b"", 64) == (NTSTATUS.SUCCESS, reply)
    assert rig.ioctl(code, b"", len(reply) - 1) == (NTSTATUS.BUFFER_TOO_SMALL, b"")


@pytest.mark.wdk("callback.ioctl-vendor.unknown")
@pytest.mark.parametrize("code", [0x00312000, 0x42000001, 0x00310034, 0], ids=hex)
def test_other_codes_are_invalid_requests(rig, code):
    assert rig.ioctl(code, b"data", 64) == (NTSTATUS.INVALID_DEVICE_REQUEST, b"")


@pytest.mark.wdk("ioctl.nfc.unknown", "callback.ioctl-vendor.unknown")
def test_an_nfc_reader_refuses_codes_it_does_not_know(make_rig):
    answer = make_rig(NFC).ioctl(0x00312000, b"data", 64)
    assert answer == (NTSTATUS.INVALID_DEVICE_REQUEST, b"")


@pytest.mark.wdk("attribute.vendor-name", "attribute.vendor-ifd-type", "attribute.device-unit")
def test_the_reader_names_itself(make_rig):
    rig = make_rig(vendor="Yubico", ifd_type="YubiKey CCID", serial="42", unit=7)
    for tag, value in (
        (Attr.VENDOR_NAME, b"Yubico"),
        (Attr.VENDOR_IFD_TYPE, b"YubiKey CCID"),
        (Attr.VENDOR_IFD_SERIAL_NO, b"42"),
        (Attr.DEVICE_UNIT, u32(7)),
        (Attr.PROTOCOL_TYPES, u32(T0 | T1 | RAW)),
    ):
        assert rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(tag), 32)[1] == value
