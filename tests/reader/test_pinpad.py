# SPDX-License-Identifier: Apache-2.0
"""PIN entry through requests: what is asked, what the card gets, and how it can end otherwise."""

import logging

import pytest

from vreader.card import CardGone, CardMute, Description
from vreader.errors import UsageError
from vreader.reader.events import PinEvent
from vreader.reader.finger import Key, PinQueue, Prompt, Typed
from vreader.reader.pinstruct import Asked
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.states import CardState
from vreader.trace.jsonl import json_line
from vreader.trace.text import TextFormat
from vreader.wdm import NTSTATUS

VERIFY_CODE, MODIFY_CODE = 0x42330006, 0x42330007
FF_8 = "FF" * 8
SUCCESS = NTSTATUS.SUCCESS


def verify(template="0020008008" + FF_8, *, condition=2, times="1E05", limits="0806", block="08"):
    data = bytes.fromhex(template)
    head = f"{times} 82 {block} 00 {limits} {condition:02X} FF 0904 00 000000"
    return bytes.fromhex(head) + len(data).to_bytes(4, "little") + data


def modify(flags=3, template="0024008010" + FF_8 + FF_8):
    data = bytes.fromhex(template)
    head = f"0000 82 08 00 00 08 0806 {flags:02X} 02 03 0904 000102 000000"
    return bytes.fromhex(head) + len(data).to_bytes(4, "little") + data


class Person:
    """A finger that notes the prompts and answers from a script, else does not touch a key."""

    def __init__(self, *entries):
        self.entries = list(entries)
        self.prompts = []

    def __call__(self, prompt):
        self.prompts.append(prompt)
        entry = self.entries.pop(0) if self.entries else None
        if isinstance(entry, BaseException):
            raise entry
        return entry


@pytest.fixture
def pinpad(make_rig):
    """Make a reader with a pinpad and a card ready for APDUs."""

    def make(*entries, **settings):
        rig = make_rig(pinpad=Person(*entries), **settings)
        rig.card = rig.ready()
        rig.person = rig.slot.pinpad._finger
        rig.press = rig.slot.pinpad.press
        return rig

    return make


def outcomes(rig):
    return [(e.asked, e.outcome) for e in rig.events if isinstance(e, PinEvent)]


# ------------------------------------------------------------------ to the card


@pytest.mark.wdk("pinpad.verify-pin-direct", "callback.ioctl-vendor")
@pytest.mark.parametrize("code", [VERIFY_CODE, 0x00312018])
def test_verify(pinpad, code):
    rig = pinpad("123456")
    assert rig.ioctl(code, verify(), 2) == (SUCCESS, b"\x90\x00")
    assert rig.card.log == [bytes.fromhex("0020008008313233343536FFFF")]
    assert rig.person.prompts == [Prompt(Asked.PIN, 6, 8, 0, 0x0409)]
    assert outcomes(rig) == [("PIN", "typed")]


@pytest.mark.wdk("pinpad.modify-pin-direct")
@pytest.mark.parametrize("code", [MODIFY_CODE, 0x0031201C])
def test_modify(pinpad, code):
    rig = pinpad("123456", "7654321", "7654321")
    assert rig.ioctl(code, modify(), 256) == (SUCCESS, b"\x90\x00")
    assert rig.card.log == [bytes.fromhex("0024008010 313233343536FFFF 37363534333231FF")]
    assert [prompt.asked for prompt in rig.person.prompts] == [
        Asked.CURRENT,
        Asked.NEW,
        Asked.CONFIRMATION,
    ]
    assert [prompt.message for prompt in rig.person.prompts] == [0, 1, 2]


def test_modify_without_confirmation(pinpad):
    rig = pinpad("123456", "7654321")
    assert rig.ioctl(MODIFY_CODE, modify(flags=2), 2) == (SUCCESS, b"\x90\x00")
    assert len(rig.person.prompts) == 2


@pytest.mark.parametrize("answer", [b"\x63\xc2", b"\x69\x83", b"data\x90\x00"])
def test_the_cards_answer_comes_back(pinpad, answer):
    rig = pinpad("123456")
    rig.card.script = [answer]
    assert rig.ioctl(VERIFY_CODE, verify(), 16) == (SUCCESS, answer)


def test_an_answer_too_long_for_the_reply(pinpad):
    rig = pinpad("123456")
    rig.card.script = [b"data\x90\x00"]
    assert rig.ioctl(VERIFY_CODE, verify(), 5) == (NTSTATUS.BUFFER_TOO_SMALL, b"")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(CardMute(), NTSTATUS.IO_TIMEOUT), (CardGone(), NTSTATUS.NO_MEDIA)],
)
def test_a_card_that_does_not_answer(pinpad, answer, status):
    rig = pinpad("123456")
    rig.card.script = [answer]
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (status, b"")


def test_the_cards_own_deadline(pinpad):
    rig = pinpad("123456", timeout_s=4.0)
    answer = rig.send(VERIFY_CODE, verify(), 2)
    (look,) = rig.held()
    look.finish(look.run())
    rig.clock.advance(3.9)
    assert answer.status is None
    rig.clock.advance(0.1)
    assert answer.status is NTSTATUS.IO_TIMEOUT


def test_the_time_for_typing_is_not_the_cards(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, verify(), 2)
    (look,) = rig.held()
    look.finish(look.run())
    (work,) = rig.held()
    rig.clock.advance(1000)
    assert answer.status is None
    work.finish(work.run())
    assert answer.data == b"\x90\x00"


# ------------------------------------------------------------------ what the pinpad answers


@pytest.mark.wdk("pinpad.cancelled")
def test_cancel_key(pinpad):
    rig = pinpad(Key.CANCEL)
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (SUCCESS, b"\x64\x01")
    assert rig.card.log == []
    assert outcomes(rig) == [("PIN", "cancelled")]


@pytest.mark.wdk("pinpad.timed-out")
@pytest.mark.parametrize(("times", "seconds"), [("1E05", 30), ("0000", 30), ("FF05", 255)])
def test_nobody_types(pinpad, times, seconds):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(times=times), 2)
    rig.work()
    rig.clock.advance(seconds - 0.1)
    assert answer.status is None
    rig.clock.advance(0.1)
    assert (answer.status, answer.data) == (SUCCESS, b"\x64\x00")
    assert rig.card.log == []
    assert outcomes(rig) == [("PIN", "timed out")]


def test_a_script_need_not_wait_for_the_time_out(pinpad):
    rig = pinpad(Key.TIME_OUT)
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (SUCCESS, b"\x64\x00")


def test_every_prompt_has_its_own_time(pinpad):
    rig = pinpad()
    answer = rig.send(MODIFY_CODE, modify(), 2)
    for digits in ("123456", "7654321"):
        rig.work()
        rig.clock.advance(29)
        assert rig.press(digits)
    rig.work()
    rig.clock.advance(29)
    assert answer.status is None
    rig.clock.advance(1)
    assert answer.data == b"\x64\x00"


@pytest.mark.wdk("pinpad.mismatch")
def test_the_confirmation_differs(pinpad):
    rig = pinpad("123456", "7654321", "7654322")
    assert rig.ioctl(MODIFY_CODE, modify(), 2) == (SUCCESS, b"\x64\x02")
    assert rig.card.log == []
    assert outcomes(rig)[-1] == ("new PIN again", "differs")


@pytest.mark.parametrize("digits", ["12345", "123456789", ""])
def test_too_short_or_too_long(pinpad, digits):
    rig = pinpad(digits)
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (SUCCESS, b"\x64\x03")
    assert rig.card.log == []


@pytest.mark.parametrize(
    "structure",
    [verify(condition=0), verify(limits="0608"), verify(block="09"), verify("0020008008")],
)
def test_what_cannot_be_carried_out(pinpad, structure):
    rig = pinpad("123456")
    assert rig.ioctl(VERIFY_CODE, structure, 2) == (SUCCESS, b"\x6b\x80")
    assert rig.person.prompts == []


def test_pins_that_meet_in_the_command(pinpad):
    rig = pinpad("123456789", "1234567")
    raw = bytearray(modify(flags=2))
    raw[3] = 0  # blocks as long as the PINs
    raw[7] = 16
    assert rig.ioctl(MODIFY_CODE, bytes(raw), 2) == (SUCCESS, b"\x6b\x80")


# ------------------------------------------------------------------ what completes an entry


def test_the_greatest_size_completes_an_entry(pinpad):
    rig = pinpad(Typed("12345678", validated=False))
    assert rig.ioctl(VERIFY_CODE, verify(condition=1), 2)[1] == b"\x90\x00"
    assert rig.card.log == [bytes.fromhex("0020008008 3132333435363738")]


def test_the_validation_key_completes_nothing_where_only_the_size_does(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, verify(condition=1), 2)
    rig.work()
    assert answer.status is None
    assert rig.press("789")  # digits too many are not taken
    rig.work()
    assert rig.card.log == [bytes.fromhex("0020008008 3132333435363738")]
    assert answer.data == b"\x90\x00"


def test_time_completes_an_entry_where_asked_for(pinpad):
    rig = pinpad(Typed("123456", validated=False))
    answer = rig.send(VERIFY_CODE, verify(condition=4), 2)
    rig.work()
    rig.clock.advance(4.9)  # bTimerOut2 counts from the first key
    assert answer.status is None
    rig.clock.advance(0.1)
    rig.work()
    assert answer.data == b"\x90\x00"


def test_time_completes_nothing_that_nobody_typed(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(condition=6), 2)
    rig.work()
    rig.clock.advance(30)
    assert answer.data == b"\x64\x00"


def test_the_second_time_out_runs_from_the_first_key(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    rig.clock.advance(29)
    rig.press(Typed("123", validated=False))
    rig.clock.advance(4.9)
    assert answer.status is None
    rig.clock.advance(0.1)
    assert answer.data == b"\x64\x00"


def test_keys_one_by_one(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    for digit in "12345":
        assert rig.press(Typed(digit, validated=False))
    assert answer.status is None
    rig.press("6")
    rig.work()
    assert rig.card.log == [bytes.fromhex("0020008008313233343536FFFF")]


# ------------------------------------------------------------------ while the person types


@pytest.mark.wdk("pinpad.pends", "callback.ioctl-vendor.statuses")
def test_others_are_told_that_the_reader_is_busy(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    assert answer.status is None
    busy = (NTSTATUS.DEVICE_BUSY, b"")
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == busy
    assert rig.ioctl(Ioctl.SMARTCARD_GET_STATE, b"", 4) == busy
    assert rig.ioctl(0x42000D48, b"", 256) == busy
    assert rig.apdu()[0] is NTSTATUS.DEVICE_BUSY
    tracking = rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    assert tracking.status is None  # but who waits for a movement may
    assert rig.press("123456")
    rig.work()
    assert answer.data == b"\x90\x00"
    assert rig.apdu()[0] is SUCCESS


@pytest.mark.wdk("pinpad.card-removed")
def test_the_card_is_taken_out(pinpad):
    rig = pinpad()
    tracking = rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    rig.remove()
    assert (answer.status, answer.data) == (NTSTATUS.NO_MEDIA, b"")
    assert tracking.status is SUCCESS
    assert rig.state is CardState.ABSENT
    assert not rig.press("123456")
    rig.clock.advance(100)
    rig.work()
    assert b"\x31\x32\x33" not in b"".join(c for c in rig.card.log if isinstance(c, bytes))


def test_the_card_is_taken_out_before_the_finger_moves(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, verify(), 2)
    (look,) = rig.held()
    typed = look.run()
    rig.remove()
    look.finish(typed)
    rig.work()
    assert answer.status is NTSTATUS.NO_MEDIA
    assert "off" in rig.card.log
    assert not any(isinstance(entry, bytes) for entry in rig.card.log)


def test_a_late_finger_does_not_type_into_the_next_request(pinpad):
    rig = pinpad("111111", "222222")
    first = rig.send(VERIFY_CODE, verify(), 2)
    (look,) = rig.held()
    typed = look.run()
    rig.clock.advance(30)
    assert first.data == b"\x64\x00"
    second = rig.send(VERIFY_CODE, verify(), 2)
    look.finish(typed)
    assert second.status is None
    rig.work()
    assert rig.card.log == [bytes.fromhex("0020008008323232323232FFFF")]


def test_a_late_finger_does_not_type_at_the_next_prompt(pinpad):
    rig = pinpad("111111", None)
    answer = rig.send(MODIFY_CODE, modify(), 2)
    (look,) = rig.held()
    typed = look.run()
    assert rig.press("222222")
    look.finish(typed)
    rig.work()
    assert len(rig.person.prompts) == 2
    assert rig.press("333333")
    rig.work()
    assert rig.press("333333")
    rig.work()
    assert answer.data == b"\x90\x00"
    assert rig.card.log == [bytes.fromhex("0024008010 323232323232FFFF 333333333333FFFF")]


def test_cancellation_of_the_request(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    assert rig.cancel(answer)
    assert answer.status is NTSTATUS.CANCELLED
    assert not rig.press("123456")
    assert rig.apdu()[0] is SUCCESS


def test_cancellation_while_the_card_works(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, verify(), 2)
    (look,) = rig.held()
    look.finish(look.run())
    (work,) = rig.held()
    assert rig.cancel(answer)
    assert answer.status is NTSTATUS.CANCELLED
    work.finish(work.run())


def test_the_last_handle_is_closed(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    rig.io.close_handle(rig.handle)
    assert answer.status is NTSTATUS.CANCELLED


def test_the_reader_falls_asleep(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    rig.pnp.set_power(rig.pdo, 3)
    assert answer.status is NTSTATUS.DEVICE_POWERED_OFF


def test_the_reader_is_pulled_out(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    rig.pnp.surprise_removal(rig.pdo)
    assert answer.status is NTSTATUS.NO_MEDIA
    rig.pnp.remove(rig.pdo)


def test_interrupted_work_leaves_the_prompt_to_its_time_out(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, verify(), 2)
    (look,) = rig.held()
    look.finish(None)
    assert answer.status is None
    rig.clock.advance(30)
    assert answer.data == b"\x64\x00"


def test_keys_that_no_keypad_has(pinpad):
    rig = pinpad()
    rig.send(VERIFY_CODE, verify(), 2)
    rig.work()
    with pytest.raises(UsageError):
        rig.press("12345x")
    assert rig.press(Key.CANCEL)
    assert not rig.press("123456")


# ------------------------------------------------------------------ checks before


@pytest.mark.parametrize(
    ("structure", "out", "status"),
    [
        (verify(), 1, NTSTATUS.BUFFER_TOO_SMALL),
        (verify(), 0, NTSTATUS.BUFFER_TOO_SMALL),
        (b"", 2, NTSTATUS.INVALID_PARAMETER),
        (verify()[:-1], 2, NTSTATUS.INVALID_PARAMETER),
        (verify() + b"\0", 2, NTSTATUS.INVALID_PARAMETER),
    ],
)
def test_buffers(pinpad, structure, out, status):
    rig = pinpad("123456")
    assert rig.ioctl(VERIFY_CODE, structure, out) == (status, b"")
    assert rig.person.prompts == []


def test_without_a_card(make_rig):
    rig = make_rig(pinpad=Person("123456"))
    for structure in (verify(), verify(condition=0)):
        assert rig.ioctl(VERIFY_CODE, structure, 2) == (NTSTATUS.NO_MEDIA, b"")


def test_a_card_without_protocol(make_rig):
    rig = make_rig(pinpad=Person("123456"))
    rig.insert()
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (NTSTATUS.INVALID_DEVICE_STATE, b"")
    rig.power()
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (NTSTATUS.INVALID_DEVICE_STATE, b"")


def test_a_card_whose_reader_sleeps(pinpad):
    rig = pinpad("123456")
    rig.pnp.set_power(rig.pdo, 3)
    assert rig.ioctl(VERIFY_CODE, verify(), 2)[0].is_error


# ------------------------------------------------------------------ secrets

PIN = "314159"
TRACES = (PIN, PIN.encode().hex(), "".join(f"3{d} " for d in PIN).strip(), "31 41 59", "31415 9")


def gossip(rig, caplog):
    """Everything that anybody is told."""
    text = TextFormat(full=True)
    told = [repr(event) + text(0, event) + json_line(0, event) for event in rig.events]
    return "".join(told) + caplog.text


def assert_kept(rig, caplog, *, events=True):
    said = gossip(rig, caplog)
    assert bool(rig.events) is events
    for trace in TRACES:
        assert trace.lower() not in said.lower()


def chatty(c_apdu, aid):
    """Explain commands by quoting them, as a card kind must not."""
    return Description(c_apdu.hex())


@pytest.mark.wdk("pinpad.secret")
@pytest.mark.parametrize("header", ["0020008008", "8018000108", "00A4040008"])
@pytest.mark.parametrize(
    "script", [b"\x90\x00", b"\x63\xc1", CardMute(), CardGone(), ValueError(PIN)]
)
def test_the_pin_is_told_to_nobody(pinpad, caplog, header, script):
    rig = pinpad(PIN, describe=chatty)
    rig.card.script = [script]
    rig.ioctl(VERIFY_CODE, verify(header + FF_8), 2)
    command = bytes.fromhex(header) + PIN.encode() + b"\xff\xff"
    assert command in rig.card.log
    assert_kept(rig, caplog)
    (apdu,) = rig.apdus
    assert apdu.masked == ((5, 13),)


@pytest.mark.parametrize("entries", [(PIN + "0000",), (PIN, PIN, "314158"), (PIN, PIN, PIN)])
def test_nor_are_pins_that_reach_no_card(pinpad, caplog, entries):
    rig = pinpad(*entries)
    rig.ioctl(MODIFY_CODE, modify(), 2)
    assert_kept(rig, caplog)


def test_the_request_buffer_never_holds_it(pinpad):
    rig = pinpad(PIN)
    answer = rig.send(VERIFY_CODE, verify(), 64)
    rig.work()
    assert PIN.encode() not in bytes(answer.irp.SystemBuffer)


@pytest.mark.parametrize("error", [ValueError(PIN), UsageError(PIN), KeyError(PIN)])
def test_a_finger_that_fails_counts_as_the_cancel_key(pinpad, caplog, error):
    rig = pinpad(error)
    with caplog.at_level(logging.ERROR):
        assert rig.ioctl(VERIFY_CODE, verify(), 2) == (SUCCESS, b"\x64\x01")
    assert type(error).__name__ in caplog.text
    assert_kept(rig, caplog)


def test_a_finger_that_types_letters(pinpad, caplog):
    rig = pinpad("secret")
    assert rig.ioctl(VERIFY_CODE, verify(), 2) == (SUCCESS, b"\x64\x01")
    assert "secret" not in gossip(rig, caplog)


def test_shown_on_the_users_explicit_wish(pinpad):
    rig = pinpad(PIN, unmask=True)
    rig.ioctl(VERIFY_CODE, verify(), 2)
    (apdu,) = rig.apdus
    assert PIN.encode() in apdu.command


def test_the_same_command_from_an_application_stays_its_own_affair(pinpad):
    """Hidden is what was typed: the next command is masked by the usual rules alone."""
    rig = pinpad(PIN)
    rig.ioctl(VERIFY_CODE, verify("8018000108" + FF_8), 2)
    rig.apdu(bytes.fromhex("8018000108 4141414141414141"))
    assert rig.apdus[1].masked == ()


def test_a_reader_without_a_pinpad_loads_none(make_rig):
    assert make_rig().slot.pinpad is None


def test_a_queue_is_a_finger(make_rig):
    rig = make_rig(pinpad=PinQueue([PIN]))
    rig.ready()
    for _ in range(2):
        assert rig.ioctl(VERIFY_CODE, verify(), 2) == (SUCCESS, b"\x90\x00")
