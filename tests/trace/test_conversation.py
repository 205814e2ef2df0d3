# SPDX-License-Identifier: Apache-2.0
"""Whole conversations on a host: what a trace shows of them, and what it never may."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaks import shows

from vreader.card import Description
from vreader.clock import ManualClock
from vreader.host import Host
from vreader.kinds import describe
from vreader.smclib.ioctl import Ioctl
from vreader.trace import open_trace
from vreader.winscard import operations

ATR = bytes.fromhex("3B80800101")
T1 = (2).to_bytes(4, "little") + (8).to_bytes(4, "little")


class FakeCard:
    """Answers what it was told to, by INS; 9000 otherwise."""

    def __init__(self, answers=None):
        self.answers = answers or {}

    def power_on(self):
        return ATR

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return self.answers.get(c_apdu[1], b"\x90\x00")


GOLDEN_TEXT = r"""
  0.000000  wdm       device interface arrival: \Device\vreader0
  0.000000  reader0   IRP CREATE  STATUS_SUCCESS  0 B
  0.000000  reader0   IRP SMARTCARD_GET_ATTRIBUTE  STATUS_SUCCESS  7 B
  0.000000  reader0   IRP SMARTCARD_GET_ATTRIBUTE  STATUS_SUCCESS  6 B
  0.000000  reader0   IRP SMARTCARD_GET_ATTRIBUTE  STATUS_SUCCESS  4 B
  0.000000  reader0   IRP SMARTCARD_GET_ATTRIBUTE  STATUS_SUCCESS  4 B
  0.000000  winscard  Virtual Reader 00 00: ABSENT, not in use, event 0
  0.000000  reader0   card inserted
  0.000000  reader0   ABSENT → SWALLOWED (card inserted)
  0.000000  reader0   IRP SMARTCARD_IS_PRESENT  STATUS_SUCCESS  0 B
  0.000000  reader0   IRP SMARTCARD_GET_STATE  STATUS_SUCCESS  4 B
  0.000000  reader0   cold reset  ATR 3B 80 80 01 01
  0.000000  reader0   SWALLOWED → NEGOTIABLE (reset, card negotiates)
  0.000000  reader0   IRP SMARTCARD_POWER  STATUS_SUCCESS  5 B
  0.000000  reader0   IRP SMARTCARD_GET_STATE  STATUS_SUCCESS  4 B
  0.000000  reader0   IRP SMARTCARD_GET_ATTRIBUTE  STATUS_SUCCESS  5 B
  0.000000  winscard  Virtual Reader 00 00: NEGOTIABLE, not in use, event 1
  0.000000  reader0   NEGOTIABLE → SPECIFIC (protocol set)
  0.000000  reader0   IRP SMARTCARD_SET_PROTOCOL  STATUS_SUCCESS  4 B
  0.000000  winscard  Virtual Reader 00 00: NEGOTIABLE, 1 connection, event 1
  0.000000  reader0   > 00 A4 04 00 05 A0 00 00 03 08   SELECT PIV
                      < 61 02 4F 00 90 00   OK  4 B  0 us
  0.000000  reader0   IRP SMARTCARD_TRANSMIT  STATUS_SUCCESS  14 B
  0.000000  reader0   > 00 20 00 80 08 ** ** ** ** ** ** ** **   VERIFY PIV PIN
                      < 63 C2   2 tries left  0 us
  0.000000  reader0   IRP SMARTCARD_TRANSMIT  STATUS_SUCCESS  10 B
  0.000000  reader0   card removed
  0.000000  reader0   SPECIFIC → ABSENT (card removed)
  0.000000  reader0   IRP SMARTCARD_IS_ABSENT  STATUS_SUCCESS  0 B
  0.000000  winscard  Virtual Reader 00 00: ABSENT, 1 connection, event 2
""".removeprefix("\n")


def converse(host):
    reader = host.add_reader("Virtual Reader 00 00")
    reader.insert(FakeCard({0xA4: bytes.fromhex("61024F009000"), 0x20: b"\x63\xc2"}))
    context = host.run(host.rm.establish_context, 2)
    handle, protocol = host.call(operations.connect(host.rm, context, reader.name, 2, 3))
    for command in ("00A4040005A000000308", "0020008008313233343536FFFF"):
        host.call(operations.transmit(host.rm, handle, protocol, bytes.fromhex(command), 258))
    reader.remove()


def test_a_small_conversation(tmp_path):
    text, lines = tmp_path / "t.txt", tmp_path / "t.jsonl"
    with Host(clock=ManualClock(), describe=describe) as host:
        closes = [open_trace(str(path), host.events, now=lambda: 0.0) for path in (text, lines)]
        converse(host)
        for close in closes:
            close()
    assert text.read_text().split("\n", 1)[1] == GOLDEN_TEXT
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert len(told) == 1 + GOLDEN_TEXT.count("\n  0.") + 1
    assert [entry["event"] for entry in told if "reader" in entry] == [
        "ReaderChangeEvent", "CardEvent", "CardEvent", "ReaderChangeEvent", "ReaderChangeEvent",
        "ApduEvent", "ApduEvent", "CardEvent", "ReaderChangeEvent",
    ]  # fmt: skip
    assert [entry["text"] for entry in told if entry["event"] == "ApduEvent"] == [
        "SELECT PIV", "VERIFY PIV PIN",
    ]  # fmt: skip


# ---------------------------------------------------------------------- secrets

# No byte twice, and none that a header has: what is shown beside a secret never looks like one.
MARKER = st.permutations(range(0xB0, 0xF0)).map(lambda order: bytes(order[:12])) | st.permutations(
    b"0123456789"
).map(bytes)
SECRET_INS = st.sampled_from([0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D])
CLA = st.sampled_from([0x00, 0x01, 0x0C, 0x40, 0x80, 0xA0, 0xFF])
P1, P2 = st.sampled_from([0x00, 0xFF]), st.sampled_from([0x00, 0x80, 0x81])
PADDING = st.integers(0, 20).map(lambda length: b"\x5a" * length)
KEY_INS = 0x87
# Each example builds a computer; a busy machine is no failure.
SOME = settings(max_examples=40, deadline=None)


def body(data, extended, le):
    length = len(data)
    lc = b"\0" + length.to_bytes(2, "big") if extended else bytes((length,))
    return lc + data + ((b"\0\0" if extended else b"\0") if le else b"")


@st.composite
def secret_commands(draw):
    """One command, or a chain of them, around a marker; return (marker, commands)."""
    marker = draw(MARKER)
    before, after = draw(PADDING), draw(PADDING)
    extended, le, cla = draw(st.booleans()), draw(st.booleans()), draw(CLA)
    header = bytes((cla, draw(SECRET_INS), draw(P1), draw(P2)))
    data = before + marker + after
    match draw(st.sampled_from(["whole", "chain", "wrong Lc"])):
        case "whole":
            return marker, [header + body(data, extended, le)]
        case "chain":
            cut = draw(st.integers(1, len(data) - 1))
            first = bytes((cla | 0x10,)) + header[1:]
            last = header + body(data[cut:], extended, le)
            return marker, [first + body(data[:cut], extended, False), last]
        case _:
            return marker, [header + bytes((draw(st.integers(0, 255)),)) + data]


def trace(tmp_path_factory, commands, *, unmask=False, describe=describe, answers=None, card=None):
    """Send ``commands`` past the resource manager; return all that both kinds of trace say."""
    directory = tmp_path_factory.mktemp("trace")
    paths = [directory / name for name in ("t.txt", "t.jsonl")]
    with Host(None, clock=ManualClock(), describe=describe, unmask=unmask) as host:
        closes = [
            open_trace(str(path), host.events, unmask=unmask, full=True, now=lambda: 0.0)
            for path in paths
        ]
        reader = host.add_reader()
        reader.insert(card or FakeCard(answers))
        with host.open_device(reader.link) as device:
            device.ioctl(Ioctl.SMARTCARD_POWER, (1).to_bytes(4, "little"), 33)
            device.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, (2).to_bytes(4, "little"), 4)
            for command in commands:
                device.ioctl(Ioctl.SMARTCARD_TRANSMIT, T1 + command, 65546)
        for close in closes:
            close()
    return [path.read_bytes() for path in paths]


@SOME
@given(secret_commands())
def test_no_pin_appears(tmp_path_factory, drawn):
    marker, commands = drawn
    for output in trace(tmp_path_factory, commands):
        assert not shows(output, marker)
        assert b"**" in output


@SOME
@given(secret_commands())
def test_unmasked_it_does(tmp_path_factory, drawn):
    marker, commands = drawn
    for output in trace(tmp_path_factory, commands, unmask=True):
        assert shows(output, marker)


@SOME
@given(MARKER, PADDING, PADDING, st.booleans())
def test_no_key_that_describe_names_appears(tmp_path_factory, marker, before, after, extended):
    command = bytes((0, KEY_INS, 0, 0)) + body(before + marker + after, extended, False)
    start = (7 if extended else 5) + len(before)

    def describe_key(c_apdu, aid):
        return Description("PUT KEY", ((start, start + len(marker)),))

    for output in trace(tmp_path_factory, [command], describe=describe_key):
        assert not shows(output, marker)
    for output in trace(tmp_path_factory, [command], describe=describe_key, unmask=True):
        assert shows(output, marker)


@SOME
@given(MARKER)
def test_no_decrypted_key_appears(tmp_path_factory, marker):
    command, answers = bytes.fromhex("002A80860102"), {0x2A: marker + b"\x90\0"}
    for output in trace(tmp_path_factory, [command], answers=answers):
        assert not shows(output, marker)
    for output in trace(tmp_path_factory, [command], answers=answers, unmask=True):
        assert shows(output, marker)


@SOME
@given(MARKER, st.integers(1, 11), st.booleans())
def test_no_decrypted_key_that_get_response_fetches_appears(tmp_path_factory, marker, cut, channel):
    commands = [bytes((channel, 0x2A, 0x80, 0x86, 1, 2)), bytes((channel, 0xC0, 0, 0, 0))]
    answers = {0x2A: marker[:cut] + b"\x61\x00", 0xC0: marker[cut:] + b"\x90\x00"}
    for output in trace(tmp_path_factory, commands, answers=answers):
        assert not shows(output, marker)


class CardWithABug(FakeCard):
    def transmit(self, c_apdu):
        raise ValueError(c_apdu.decode("latin-1"), c_apdu)


@SOME
@given(secret_commands())
def test_no_pin_that_an_exception_of_a_card_quotes_appears(tmp_path_factory, drawn):
    marker, commands = drawn
    for output in trace(tmp_path_factory, commands, card=CardWithABug()):
        assert not shows(output, marker)
        assert b"ValueError" in output


@pytest.mark.parametrize(
    "command",
    [
        "00FFFFFF1B039B18{key}",  # SET MANAGEMENT KEY
        "10FE079A1C0118{key}0218",  # IMPORT ASYMMETRIC KEY, a link of a chain
    ],
)
def test_no_key_of_a_piv_card_appears(tmp_path_factory, command):
    key = bytes(range(0xC1, 0xC1 + 24))
    raw = bytes.fromhex(command.format(key=key.hex()))
    select = bytes.fromhex("00A4040005A000000308")
    for output in trace(tmp_path_factory, [select, raw]):
        assert not shows(output, key)
    for output in trace(tmp_path_factory, [select, raw], unmask=True):
        assert shows(output, key)
