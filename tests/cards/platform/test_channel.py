# SPDX-License-Identifier: Apache-2.0
"""Logical channels: the class byte, opening and closing, and what each channel has for itself."""

import pytest
from toy_card import AID_A, AID_B, ATR, Toy, select, send

from cards.platform import AppletCard, Nvm, Refuse
from cards.platform.channel import ClassByte
from cards.platform.nvm import MemoryBackend


def make(channels, default=None):
    nvm = Nvm(MemoryBackend())
    card = AppletCard(
        ATR,
        lambda: [Toy(AID_A, nvm.area("a")), Toy(AID_B, nvm.area("b"), True)],
        nvm,
        channels=channels,
        default=default,
    )
    card.power_on()
    return card


@pytest.fixture
def card():
    return make(20)


def cla(channel):
    """The interindustry class byte of a channel."""
    return channel if channel < 4 else 0x40 | (channel - 4)


# ---------------------------------------------------------------------- class byte


def expected(value):
    """ISO/IEC 7816-4:2020 tables 2 and 3, read bit by bit; None is refused."""
    bits = f"{value:08b}"
    if bits.startswith("000"):
        return int(bits[6:], 2), bits[3] == "1", bits[4:6] != "00", False
    if bits.startswith("01"):
        return 4 + int(bits[4:], 2), bits[3] == "1", bits[2] == "1", False
    if bits.startswith("100"):
        return int(bits[6:], 2), bits[3] == "1", bits[4:6] != "00", True
    return None


@pytest.mark.parametrize("value", range(256))
def test_every_class_byte(value):
    wanted = expected(value)
    if wanted is None:
        with pytest.raises(Refuse) as caught:
            ClassByte.parse(value)
        assert caught.value.sw == 0x6E00
    else:
        assert ClassByte.parse(value) == wanted


# ---------------------------------------------------------------------- opening and closing


def test_there_are_20_channels_and_no_more(card):
    for number in range(1, 20):
        assert send(card, "0070000001") == f"{number:02X}9000"
    assert send(card, "0070000001") == "6A81"
    for number in range(1, 20):
        assert select(card, cla=cla(number))[-2:] == b"\x90\0"


def test_the_lowest_free_number_is_assigned(card):
    for _ in range(3):
        send(card, "0070000001")
    assert send(card, "00708002") == "9000"
    assert send(card, "0070000001") == "029000"


def test_a_number_can_be_asked_for(card):
    assert send(card, "00700013") == "9000"
    assert send(card, "00700013") == "6881"
    assert send(card, "00700014") == "6A86"
    assert send(card, "007000FF") == "6A86"
    assert send(make(4), "00700004") == "6881"


@pytest.mark.parametrize("p1", [0x01, 0x40, 0x7F, 0x81, 0xC0, 0xFF])
def test_other_functions_do_not_exist(card, p1):
    assert send(card, f"0070{p1:02X}01") == "6A86"
    assert send(card, "0170000001") == "6881"


def test_manage_channel_carries_no_data(card):
    assert send(card, "0070000001AA") == "6700"
    assert send(card, "0070000000") == "019000"


def test_closing(card):
    send(card, "0070000001")
    assert send(card, "00708002") == "6881"
    assert send(card, "00708000") == "6A86"  # the basic channel stays
    assert send(card, "00708001") == "9000"
    assert send(card, "00708001") == "6881"
    assert send(card, "0110000000") == "6881"


def test_a_channel_closes_itself_and_others(card):
    send(card, "0070000001")
    send(card, "0070000001")
    assert send(card, "01708002") == "9000"
    assert send(card, "01708000") == "9000"
    assert send(card, "01708000") == "6881"


def test_a_closed_channel_opens_empty(card):
    send(card, "0070000001")
    select(card, cla=1)
    send(card, "01120000")
    send(card, "1110000001AA")
    send(card, "00708001")
    send(card, "00700001")
    assert send(card, "0110000000") == "6D00"
    select(card, cla=1)
    assert send(card, "011C000000") == "009000"
    assert send(card, "0110000001BB00") == "BB9000"


def test_select_opens_a_channel_when_it_succeeds(card):
    assert send(card, "0210000000") == "6881"
    assert send(card, "02A4040005A0000000FF") == "6A82"
    assert send(card, "0210000000") == "6881"
    assert select(card, cla=2)[-2:] == b"\x90\0"
    assert send(card, "0210000001AA00") == "AA9000"
    assert send(card, "02A4000C023F00") == "6D00"
    assert select(make(2), cla=2) == b"\x68\x81"
    assert select(make(1), cla=1) == b"\x68\x81"


def test_other_commands_and_chained_selects_open_none(card):
    assert send(card, "03A4000C023F00") == "6881"
    assert send(card, "13A4040005A000000001") == "6884"
    assert send(card, "83A4040005A000000001") == "6881"
    assert send(card, "0310000000") == "6881"


def test_a_new_channel_starts_at_the_default_or_where_its_origin_is():
    card = make(20, default=AID_B)
    send(card, "0070000001")
    assert send(card, "8110000001AA00") == "AA9000"
    select(card, AID_A, cla=1)
    send(card, "01120000")
    assert send(card, "0170000001") == "029000"
    assert send(card, "021C000000") == "009000"  # there, with a status of its own
    assert send(card, "8210000000") == "6E00"
    card = make(20)
    select(card)
    send(card, "0070000001")
    assert send(card, "0110000000") == "6D00"


def test_a_new_channel_has_its_origins_application_whatever_the_names():
    nvm = Nvm(MemoryBackend())
    longer = AID_A + b"\x09"
    card = AppletCard(
        ATR, lambda: [Toy(longer, nvm.area("a")), Toy(AID_A, nvm.area("b"))], nvm, channels=3
    )
    card.power_on()
    select(card, longer, cla=1)
    select(card, AID_A, cla=1)
    assert send(card, "01A4040207" + AID_A.hex()) == b"I am 01".hex().upper() + "9000"
    assert send(card, "0170000001") == "029000"
    assert send(card, "021A000001AA") == "9000"
    assert card.nvm.get(("b", "x")) == b"\xaa"


def test_a_card_with_one_channel_knows_no_manage_channel():
    card = make(1)
    assert send(card, "0070000001") == "6D00"
    select(card)
    assert send(card, "0070000001") == "6D00"


@pytest.mark.parametrize("count", [0, 21])
def test_a_card_has_1_to_20_channels(count):
    with pytest.raises(ValueError, match="logical channels"):
        make(count)


# ---------------------------------------------------------------------- what each has for itself


def test_security_status(card):
    select(card)
    select(card, cla=0x41)
    send(card, "00120000")
    assert send(card, "411C000000") == "009000"
    select(card, AID_B, cla=0x41)
    assert send(card, "001C000000") == "019000"
    send(card, "00708005")
    assert send(card, "001C000000") == "019000"


def test_the_memory_is_shared(card):
    select(card)
    select(card, cla=1)
    assert send(card, "011A000001AA") == "9000"
    assert card.nvm.get(("a", "x")) == b"\xaa"


def test_chains(card):
    select(card)
    select(card, cla=0x4F)
    send(card, "1010000001AA")
    send(card, "5F10000001BB")
    send(card, "1010000001CC")
    assert send(card, "4F10000001DD00") == "BBDD9000"
    assert send(card, "0010000001EE00") == "AACCEE9000"


def test_pending_answers(card):
    select(card)
    select(card, cla=1)
    assert send(card, "0014000201") == "006101"
    assert send(card, "01C0000000") == "6985"
    assert send(card, "0114000301") == "006102"
    assert send(card, "00C0000000") == "019000"
    assert send(card, "01C0000000") == "01029000"


def test_bytes_that_are_no_apdu_end_what_was_half_said_everywhere(card):
    select(card)
    select(card, cla=1)
    send(card, "1110000001AA")
    send(card, "0014000201")
    assert send(card, "00A4") == "6700"
    assert send(card, "0110000001BB00") == "BB9000"
    assert send(card, "00C0000000") == "6985"


@pytest.mark.parametrize("end", ["reset", "power_off"])
def test_a_reset_closes_all(card, end):
    select(card, cla=1)
    select(card, cla=0x4F)
    getattr(card, end)()
    card.power_on()
    assert send(card, "0110000000") == "6881"
    assert send(card, "4F10000000") == "6881"
    assert send(card, "0010000000") == "6D00"
    assert send(card, "0070000001") == "019000"


def test_applications_see_no_channel(card):
    select(card, AID_B, cla=3)
    select(card, AID_B, cla=0x4F)
    assert send(card, "831E000000") == "809000"
    assert send(card, "031E000000") == "009000"
    assert send(card, "4F1E000000") == "009000"
    send(card, "5F1E000001AA")
    assert send(card, "4F1E000001BB00") == "009000"
