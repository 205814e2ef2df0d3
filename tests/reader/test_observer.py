# SPDX-License-Identifier: Apache-2.0
"""What APDU events show, and above all what they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.card import Description
from vreader.events import Emitter
from vreader.iso7816 import CommandApdu
from vreader.reader.observer import ApduObserver, blank, describe_nothing

PIN = b"MARKER-PIN"
OK = b"\x90\x00"


class Watch:
    def __init__(self, describe=describe_nothing, *, unmask=False):
        self.events = []
        emitter = Emitter()
        emitter.subscribe(self.events.append)
        self.observer = ApduObserver(emitter, "reader0", describe, unmask)

    def see(self, command, response=OK):
        self.observer.exchanged(command, response, 0.0, "")
        self.observer.selected(command, response)
        return self.events[-1]


@pytest.fixture
def watch():
    return Watch()


SECRET = [
    pytest.param(cla, ins, extended, id=f"{cla:02X}{ins:02X}{' extended' * extended}")
    for ins in (0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D)
    for cla in (0x00, 0x10, 0x03, 0x0C, 0x80)
    for extended in (False, True)
]


@pytest.mark.parametrize(("cla", "ins", "extended"), SECRET)
@pytest.mark.parametrize("ne", [0, 256])
def test_the_data_of_pin_commands_is_never_shown(watch, cla, ins, extended, ne):
    command = bytes(CommandApdu(cla, ins, 0, 0x80, PIN, ne, extended))
    event = watch.see(command)
    assert PIN not in event.command
    assert event.command[:5] == command[:5]
    assert len(event.command) == len(command)
    assert not any(event.command[5:])
    assert event.masked == ((5, len(command)),)
    assert watch.observer.is_secret(command)


@given(
    ins=st.sampled_from([0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D]),
    parts=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4),
    tail=st.binary(max_size=3),
)
def test_no_byte_of_a_chained_or_malformed_pin_command_is_shown(ins, parts, tail):
    watch = Watch()
    for number, part in enumerate(parts):
        cla = 0x00 if number == len(parts) - 1 else 0x10
        event = watch.see(bytes((cla, ins, 0, 0x80, len(part))) + part + tail)
        assert not any(event.command[5:])


@pytest.mark.parametrize("command", ["00200080", "0020008000", "00A40400", "00CB3FFF055C035FC105"])
def test_commands_without_secrets_are_shown_whole(watch, command):
    command = bytes.fromhex(command)
    event = watch.see(command, b"data\x90\x00")
    assert event.command == command
    assert event.response == b"data\x90\x00"
    assert event.masked == event.masked_response == ()
    assert not watch.observer.is_secret(command)


def test_unmask_shows_everything():
    watch = Watch(unmask=True)
    command = b"\0\x20\0\x80" + bytes((len(PIN),)) + PIN
    assert watch.see(command).command == command
    assert not watch.observer.is_secret(command)


# ------------------------------------------------------------------ replies

DECIPHER = bytes.fromhex("002A8086")
MORE = bytes.fromhex("00C00000")


def test_what_decipher_returns_is_secret_with_its_rest(watch):
    event = watch.see(DECIPHER, b"KEYKEYKEY\x61\x10")
    assert event.response == bytes(9) + b"\x61\x10"
    assert event.masked_response == ((0, 9),)
    assert watch.see(MORE, b"MORE\x61\x04").response == bytes(4) + b"\x61\x04"
    assert watch.see(MORE, b"LAST\x90\x00").response == bytes(4) + OK
    assert watch.see(MORE, b"none\x90\x00").response == b"none\x90\x00"


def test_another_command_between_ends_the_rest(watch):
    watch.see(DECIPHER, b"KEY\x61\x10")
    watch.see(bytes.fromhex("00A40400"))
    assert watch.see(MORE, b"data\x90\x00").response == b"data\x90\x00"


def test_a_late_answer_to_something_else_does_not_end_the_rest(watch):
    watch.see(DECIPHER, b"KEY\x61\x10")
    watch.observer.exchanged(bytes.fromhex("00B00000"), OK, 0.0, "late")
    assert watch.see(MORE, b"data\x90\x00").response == bytes(4) + OK


@pytest.mark.parametrize("header", ["002B8086", "00C20000", "00C30000"])
def test_what_may_be_a_plaintext_is_secret(watch, header):
    assert watch.see(bytes.fromhex(header), b"KEY\x61\x10").response == bytes(3) + b"\x61\x10"
    assert watch.see(MORE, b"REST\x90\x00").response == bytes(4) + OK


def test_a_command_with_a_typed_pin_is_secret_whatever_it_is():
    told = []
    watch = Watch(lambda command, aid: told.append(command) or Description("x"))
    command = b"\x80\x18\0\1\x0a" + PIN
    watch.observer.exchanged(command, OK, 0.0, "", typed=True)
    assert watch.events[-1].masked == ((5, 15),)
    assert watch.observer.is_secret(command, typed=True)
    assert not watch.observer.is_secret(command)
    assert [PIN in each for each in told] == [False, False, True]


def test_a_reset_ends_the_rest(watch):
    watch.see(DECIPHER, b"KEY\x61\x10")
    watch.observer.reset()
    assert watch.see(MORE, b"data\x90\x00").response == b"data\x90\x00"


def test_a_kind_may_call_a_reply_secret():
    watch = Watch(lambda command, aid: Description("export", secret_reply=command[1] == 0x50))
    assert watch.see(b"\0\x50\0\0", b"KEY\x61\x03").response == bytes(3) + b"\x61\x03"
    assert watch.see(MORE, b"REST\x90\x00").response == bytes(4) + OK


# ------------------------------------------------------------------ describe


def test_a_kind_names_ranges_and_they_are_clamped():
    ranges = ((-3, 2), (4, 6), (6, 99), (90, 99), (9, 3))
    watch = Watch(lambda command, aid: Description("odd", ranges))
    event = watch.see(b"abcdefgh")
    assert event.command == b"\0\0cd\0\0\0\0"
    assert event.masked == ((0, 2), (4, 6), (6, 8))
    assert event.text == "odd"


@pytest.mark.parametrize("error", [ValueError("MARKER-PIN"), IndexError(), KeyError(PIN)])
def test_a_kind_that_fails_hides_everything(error):
    def describe(command, aid):
        raise error

    watch = Watch(describe)
    event = watch.see(b"\0\xda\0\0\x0a" + PIN, b"MARKER\x90\x00")
    assert "MARKER" not in repr(event)
    assert event.text == f"(describe failed: {type(error).__name__})"
    assert watch.see(b"", b"").command == b""


def select(aid, cla=0, extended=False):
    return bytes(CommandApdu(cla, 0xA4, 4, 0, aid, 256, extended))


@pytest.fixture
def telling():
    return Watch(lambda command, aid: Description(aid.hex()))


PIV, PGP, LOOK = b"\xa0\0\0\x03\x08", b"\xd2\x76\0\1\x24\1", b"\0\xcb\0\0"


@pytest.mark.parametrize("extended", [False, True])
def test_describe_is_told_the_selected_application(telling, extended):
    assert telling.see(LOOK).text == ""
    assert telling.see(select(PIV, extended=extended), b"\x61\x10").text == ""
    assert telling.see(LOOK).text == PIV.hex()
    assert telling.see(select(PGP), b"\x6a\x82").text == PIV.hex()
    assert telling.see(LOOK).text == PIV.hex()  # a failed SELECT selects nothing
    telling.observer.reset()
    assert telling.see(LOOK).text == ""


@pytest.mark.parametrize("cla", [0x01, 0x03, 0x40, 0x4F, 0x81])
def test_each_logical_channel_has_its_own_application(telling, cla):
    telling.see(select(PIV))
    telling.see(select(PGP, cla))
    assert telling.see(LOOK).text == PIV.hex()
    assert telling.see(bytes((cla,)) + LOOK[1:]).text == PGP.hex()
    assert telling.see(b"\x10" + LOOK[1:]).text == PIV.hex()  # chaining is no channel
    assert telling.see(b"\x0c" + LOOK[1:]).text == PIV.hex()  # nor is secure messaging


@given(command=st.binary(max_size=12), response=st.binary(max_size=4))
def test_any_exchange_can_be_told(command, response):
    watch = Watch()
    event = watch.see(command, response)
    assert (len(event.command), len(event.response)) == (len(command), len(response))


@given(st.binary(max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_blanking_keeps_length_and_the_rest(data, start, end):
    start, end = sorted((min(start, len(data)), min(end, len(data))))
    out = blank(data, ((start, end),))
    assert out == data[:start] + bytes(end - start) + data[end:]
