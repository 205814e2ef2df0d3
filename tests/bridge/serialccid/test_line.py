# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest

from vreader.bridge.serialccid.ccid import IccStatus, Refusal, SlotError
from vreader.bridge.serialccid.line import CardLine, parse_link
from vreader.card import CardMute
from vreader.errors import UsageError
from vreader.host import Host
from vreader.iso7816 import Atr
from vreader.iso7816.pps import Pps, PpsError
from vreader.iso7816.t1 import IFS, Block
from vreader.reader.linkspec import CUT, LOSE, SPOIL, LinkSettings

COMMAND = bytes.fromhex("00A4040002A000")


@pytest.fixture
def make():
    """A line to a card that has power."""
    with contextlib.ExitStack() as stack:

        def make(card=None, power: bool = True, **options) -> CardLine:
            host = stack.enter_context(Host(None))
            reader = host.add_reader()
            line = CardLine(host.open_device(reader.link), **options)
            line.host_reader = reader
            if card is not None:
                reader.insert(card)
                line.moved(present=True)
            if power:
                line.power_on()
            return line

        yield make


def refused(line: CardLine, tpdu: bytes) -> int:
    with pytest.raises(Refusal) as refusal:
        line.exchange(tpdu)
    return refusal.value.error


def test_where_the_card_is(make, echo):
    card = echo()
    line = make(power=False)
    assert line.status is IccStatus.ABSENT
    line.host_reader.insert(card)
    line.moved(present=True)
    assert line.status is IccStatus.INACTIVE
    assert line.power_on() == card.atr
    assert line.status is IccStatus.ACTIVE
    line.power_on()
    line.power_off()
    line.power_off()
    assert line.status is IccStatus.INACTIVE
    assert card.log == ["cold", "warm", "off"]
    line.power_on()
    line.moved(present=False)
    assert line.status is IccStatus.ABSENT
    # Back in the reader it is without power, whether or not anybody looked meanwhile.
    line.moved(present=True)
    assert line.status is IccStatus.INACTIVE


def test_a_card_that_has_gone_is_mute(make, echo):
    line = make(echo())
    line.host_reader.remove()
    assert refused(line, Block.i(0, False, COMMAND).encode()) == SlotError.ICC_MUTE
    line.power_off()
    with pytest.raises(Refusal):
        line.power_on()


def test_a_card_without_an_answer_is_mute(make, echo):
    class Mute(echo):
        def transmit(self, command):
            raise CardMute

    assert refused(make(Mute()), Block.i(0, False, COMMAND).encode()) == SlotError.ICC_MUTE
    assert refused(make(Mute("t0")), COMMAND) == SlotError.ICC_MUTE


def test_a_garbled_atr(make, echo):
    card = echo(bytes.fromhex("3C00"))
    line = make(card, power=False)
    with pytest.raises(Refusal) as refusal:
        line.power_on()
    assert refusal.value.error == SlotError.BAD_ATR_TS
    assert line.status is IccStatus.INACTIVE
    assert line.failure == "POWER (COLD_RESET): STATUS_UNRECOGNIZED_MEDIA"
    card.atr = echo().atr
    line.power_on()
    assert line.failure == ""


def test_pps_chooses_protocol_and_speed(make, echo):
    line = make(echo("both"))
    assert line.parameters()[0] == 0
    request = bytes(Pps(1, 0x95))
    assert line.exchange(request) == request
    assert line.parameters()[0] == 1
    block = Block(IFS, b"\xfe")
    assert line.exchange(block.encode()) == block.response().encode()


def test_pps_without_an_answer(make, echo):
    assert refused(make(echo("t1")), bytes(Pps(0))) == SlotError.ICC_MUTE
    garbled = bytes.fromhex("FF1195FF")
    assert refused(make(echo("fast")), garbled) == SlotError.ICC_MUTE


@pytest.mark.parametrize("card", ["t0", "specific"])
def test_only_the_first_bytes_of_a_negotiable_card_are_a_pps(make, echo, card):
    line = make(echo(card))
    if card == "t0":
        line.exchange(COMMAND)
        assert line.exchange(bytes.fromhex("FF10110000")) == bytes.fromhex("6D00")
    else:
        assert Block.parse(line.exchange(bytes(Pps(1, 0x95)))).is_r


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ("00010203", "0001020300"),
        ("0001020305", "0001020305"),
        ("00010203021122", "0001020302112200"),
        ("0001020302112205", "0001020302112200"),
    ],
)
def test_commands_as_hosts_send_them_by_t0(make, echo, command, seen):
    card = echo("t0")
    line = make(card)
    line.exchange(bytes.fromhex(command))
    assert card.commands == [bytes.fromhex(seen)]


@pytest.mark.parametrize("command", ["000102", "00010203021122330005", "0001020300000100"])
def test_what_t0_cannot_carry(make, echo, command):
    assert refused(make(echo("t0")), bytes.fromhex(command)) == SlotError.BAD_LENGTH


@pytest.mark.parametrize(
    ("atr", "expected"),
    [
        ("t1", (1, "11 10 00 45 00 fe 00")),
        ("crc", (1, "11 11 00 45 00 fe 00")),
        ("short blocks", (1, "11 10 00 45 00 10 00")),
        ("t0", (0, "11 00 00 0a 00")),
    ],
)
def test_parameters_come_from_the_atr_until_they_are_set(make, echo, atr, expected):
    protocol, data = expected[0], bytes.fromhex(expected[1])
    line = make(echo(atr))
    assert line.parameters() == (protocol, data)
    line.set_parameters(protocol, b"x" * len(data))
    assert line.parameters() == (protocol, b"x" * len(data))
    line.set_parameters(protocol, None)
    assert line.parameters() == (protocol, data)
    with pytest.raises(Refusal) as refusal:
        line.set_parameters(1 - protocol, None)
    assert refusal.value.error == SlotError.BAD_PARAMETER


def test_blocks_use_the_check_of_the_atr(make, echo):
    line = make(echo("crc"))
    answer = line.exchange(Block.i(0, False, COMMAND).encode(crc=True))
    assert Block.parse(answer, crc=True).inf == COMMAND + b"\x90\0"


def test_a_reset_starts_the_protocol_anew(make, echo):
    line = make(echo())
    block = Block.i(0, False, COMMAND).encode()
    assert not Block.parse(line.exchange(block)).is_r
    line.power_on()
    assert Block.parse(line.exchange(block)).inf == COMMAND + b"\x90\0"


def test_blocks_are_harmed_on_their_way(make, echo):
    harms = iter([LOSE, SPOIL, "", "", LOSE, "", SPOIL, "", CUT, "", "", ""])
    told = []
    line = make(echo(), settings=LinkSettings("t1", lambda *_: next(harms)))
    line.tell = lambda *crossing: told.append(crossing)
    block = Block.i(0, False, COMMAND).encode()
    answer = Block.i(0, False, COMMAND + b"\x90\0").encode()
    assert refused(line, block) == SlotError.ICC_MUTE
    assert Block.parse(line.exchange(block)).is_r
    assert refused(line, block) == SlotError.ICC_MUTE
    repeat = Block.r(0).encode()
    assert line.exchange(repeat) != answer
    assert len(line.exchange(repeat)) == len(answer) // 2
    assert line.exchange(repeat) == answer
    assert told[:2] == [
        ("T=1", True, block, "I(0,0)", LOSE),
        ("T=1", True, block, "I(0,0)", SPOIL),
    ]


@pytest.mark.parametrize(("offered", "wanted"), [("t1", 0), ("t0", 1), ("fast", 0)])
def test_a_card_is_given_the_protocol_it_lacks(make, echo, offered, wanted):
    card = echo(offered)
    line = make(card, settings=LinkSettings(f"t{wanted}"))
    assert Atr.parse(line.power_on()).protocols == (wanted,)
    if wanted:
        line.exchange(Block.i(0, False, COMMAND).encode())
    else:
        line.exchange(COMMAND)
    assert card.commands[0][: len(COMMAND)] == COMMAND


@pytest.mark.parametrize("manner", ["slow", "mute", "garbled"])
def test_a_card_may_answer_a_pps_as_it_likes(make, echo, manner):
    line = make(echo("fast"), settings=LinkSettings("t1", pps=manner))
    request = Pps(1, 0x95)
    if manner == "mute":
        assert refused(line, bytes(request)) == SlotError.ICC_MUTE
    elif manner == "slow":
        assert request.check(line.exchange(bytes(request))) == Pps(1)
    else:
        with pytest.raises(PpsError):
            request.check(line.exchange(bytes(request)))


def test_link_options():
    assert parse_link("t1,wtx=2+3").wtx == (2, 3)
    for text in ("t1,crc", "t1,ifsd=32", "t0,nulls=2", "t0,no-envelope"):
        with pytest.raises(UsageError) as error:
            parse_link(text)
        assert "spoil" in error.value.hint
        assert repr(text[3:].partition("=")[0]) in str(error.value)


def test_what_crosses_is_told(make, echo):
    line = make(echo("both"), power=False)
    told = []
    line.tell = lambda *crossing: told.append((crossing[0], crossing[1], crossing[3]))
    line.power_on()
    line.exchange(bytes(Pps(0, 0x95)))
    line.exchange(COMMAND)
    assert told == [
        ("PPS", True, "request"),
        ("PPS", False, "response"),
        ("T=0", True, "command"),
        ("T=0", False, "response"),
    ]
