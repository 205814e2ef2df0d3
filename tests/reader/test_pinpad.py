# SPDX-License-Identifier: Apache-2.0
"""PIN entry through requests: what is asked, what the card gets, and how it can end otherwise."""

import pytest

from vreader.card import CardGone, CardMute
from vreader.reader.events import PinEvent
from vreader.reader.finger import Key, Prompt, Typed
from vreader.reader.pinstruct import Asked
from vreader.wdm import NTSTATUS

VERIFY_CODE, MODIFY_CODE = 0x42330006, 0x42330007
SUCCESS = NTSTATUS.SUCCESS


def outcomes(rig):
    return [(e.asked, e.outcome) for e in rig.events if isinstance(e, PinEvent)]


# ------------------------------------------------------------------ to the card


@pytest.mark.wdk("pinpad.verify-pin-direct", "callback.ioctl-vendor")
@pytest.mark.parametrize("code", [VERIFY_CODE, 0x00312018])
def test_verify(pinpad, code):
    rig = pinpad("123456")
    assert rig.ioctl(code, rig.verify(), 2) == (SUCCESS, b"\x90\x00")
    assert rig.card.log == [bytes.fromhex("0020008008313233343536FFFF")]
    assert rig.person.prompts == [Prompt(Asked.PIN, 6, 8, 0, 0x0409)]
    assert outcomes(rig) == [("PIN", "typed")]


@pytest.mark.wdk("pinpad.modify-pin-direct")
@pytest.mark.parametrize("code", [MODIFY_CODE, 0x0031201C])
def test_modify(pinpad, code):
    rig = pinpad("123456", "7654321", "7654321")
    assert rig.ioctl(code, rig.modify(), 256) == (SUCCESS, b"\x90\x00")
    assert rig.card.log == [bytes.fromhex("0024008010 313233343536FFFF 37363534333231FF")]
    assert [prompt.asked for prompt in rig.person.prompts] == [
        Asked.CURRENT,
        Asked.NEW,
        Asked.CONFIRMATION,
    ]
    assert [prompt.message for prompt in rig.person.prompts] == [0, 1, 2]


def test_modify_without_confirmation(pinpad):
    rig = pinpad("123456", "7654321")
    assert rig.ioctl(MODIFY_CODE, rig.modify(flags=2), 2) == (SUCCESS, b"\x90\x00")
    assert len(rig.person.prompts) == 2


@pytest.mark.parametrize("answer", [b"\x63\xc2", b"\x69\x83", b"data\x90\x00"])
def test_the_cards_answer_comes_back(pinpad, answer):
    rig = pinpad("123456")
    rig.card.script = [answer]
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 16) == (SUCCESS, answer)


def test_an_answer_too_long_for_the_reply(pinpad):
    rig = pinpad("123456")
    rig.card.script = [b"data\x90\x00"]
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 5) == (NTSTATUS.BUFFER_TOO_SMALL, b"")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(CardMute(), NTSTATUS.IO_TIMEOUT), (CardGone(), NTSTATUS.NO_MEDIA)],
)
def test_a_card_that_does_not_answer(pinpad, answer, status):
    rig = pinpad("123456")
    rig.card.script = [answer]
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (status, b"")


def test_the_cards_own_deadline(pinpad):
    rig = pinpad("123456", timeout_s=4.0)
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    (look,) = rig.held()
    look.finish(look.run())
    rig.clock.advance(3.9)
    assert answer.status is None
    rig.clock.advance(0.1)
    assert answer.status is NTSTATUS.IO_TIMEOUT


def test_the_time_for_typing_is_not_the_cards(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
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
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (SUCCESS, b"\x64\x01")
    assert rig.card.log == []
    assert outcomes(rig) == [("PIN", "cancelled")]


@pytest.mark.wdk("pinpad.timed-out")
@pytest.mark.parametrize(("times", "seconds"), [("1E05", 30), ("0000", 30), ("FF05", 255)])
def test_nobody_types(pinpad, times, seconds):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(times=times), 2)
    rig.work()
    rig.clock.advance(seconds - 0.1)
    assert answer.status is None
    rig.clock.advance(0.1)
    assert (answer.status, answer.data) == (SUCCESS, b"\x64\x00")
    assert rig.card.log == []
    assert outcomes(rig) == [("PIN", "timed out")]


def test_a_script_need_not_wait_for_the_time_out(pinpad):
    rig = pinpad(Key.TIME_OUT)
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (SUCCESS, b"\x64\x00")


def test_every_prompt_has_its_own_time(pinpad):
    rig = pinpad()
    answer = rig.send(MODIFY_CODE, rig.modify(), 2)
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
    assert rig.ioctl(MODIFY_CODE, rig.modify(), 2) == (SUCCESS, b"\x64\x02")
    assert rig.card.log == []
    assert outcomes(rig)[-1] == ("new PIN again", "differs")


@pytest.mark.parametrize("digits", ["12345", "123456789", ""])
def test_too_short_or_too_long(pinpad, digits):
    rig = pinpad(digits)
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (SUCCESS, b"\x64\x03")
    assert rig.card.log == []


@pytest.mark.parametrize(
    "members",
    [{"condition": 0}, {"limits": "0608"}, {"block": "09"}, {"template": "0020008008"}],
)
def test_what_cannot_be_carried_out(pinpad, members):
    rig = pinpad("123456")
    assert rig.ioctl(VERIFY_CODE, rig.verify(**members), 2) == (SUCCESS, b"\x6b\x80")
    assert rig.person.prompts == []


def test_pins_that_meet_in_the_command(pinpad):
    rig = pinpad("123456789", "1234567")
    structure = rig.modify(flags=2, block="00", limits="1006")  # blocks as long as the PINs
    assert rig.ioctl(MODIFY_CODE, structure, 2) == (SUCCESS, b"\x6b\x80")


# ------------------------------------------------------------------ what completes an entry


def test_the_greatest_size_completes_an_entry(pinpad):
    rig = pinpad(Typed("12345678", validated=False))
    assert rig.ioctl(VERIFY_CODE, rig.verify(condition=1), 2)[1] == b"\x90\x00"
    assert rig.card.log == [bytes.fromhex("0020008008 3132333435363738")]


def test_the_validation_key_completes_nothing_where_only_the_size_does(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, rig.verify(condition=1), 2)
    rig.work()
    assert answer.status is None
    assert rig.press("789")  # digits too many are not taken
    rig.work()
    assert rig.card.log == [bytes.fromhex("0020008008 3132333435363738")]
    assert answer.data == b"\x90\x00"


def test_time_completes_an_entry_where_asked_for(pinpad):
    rig = pinpad(Typed("123456", validated=False))
    answer = rig.send(VERIFY_CODE, rig.verify(condition=4), 2)
    rig.work()
    rig.clock.advance(4.9)  # bTimerOut2 counts from the first key
    assert answer.status is None
    rig.clock.advance(0.1)
    rig.work()
    assert answer.data == b"\x90\x00"


def test_time_completes_nothing_that_nobody_typed(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(condition=6), 2)
    rig.work()
    rig.clock.advance(30)
    assert answer.data == b"\x64\x00"


def test_the_second_time_out_runs_from_the_first_key(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    rig.clock.advance(29)
    rig.press(Typed("123", validated=False))
    rig.clock.advance(4.9)
    assert answer.status is None
    rig.clock.advance(0.1)
    assert answer.data == b"\x64\x00"


def test_keys_one_by_one(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    for digit in "12345":
        assert rig.press(Typed(digit, validated=False))
    assert answer.status is None
    rig.press("6")
    rig.work()
    assert rig.card.log == [bytes.fromhex("0020008008313233343536FFFF")]


# ------------------------------------------------------------------ checks before


@pytest.mark.parametrize(
    ("end", "out", "status"),
    [
        (None, 1, NTSTATUS.BUFFER_TOO_SMALL),
        (None, 0, NTSTATUS.BUFFER_TOO_SMALL),
        (0, 2, NTSTATUS.INVALID_PARAMETER),
        (-1, 2, NTSTATUS.INVALID_PARAMETER),
    ],
)
def test_buffers(pinpad, end, out, status):
    rig = pinpad("123456")
    assert rig.ioctl(VERIFY_CODE, rig.verify()[:end], out) == (status, b"")
    assert rig.person.prompts == []


def test_without_a_card(pinpad):
    rig = pinpad("123456", ready=False)
    for structure in (rig.verify(), rig.verify(condition=0)):
        assert rig.ioctl(VERIFY_CODE, structure, 2) == (NTSTATUS.NO_MEDIA, b"")


def test_a_card_without_protocol(pinpad):
    rig = pinpad("123456", ready=False)
    rig.insert()
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (NTSTATUS.INVALID_DEVICE_STATE, b"")
    rig.power()
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (NTSTATUS.INVALID_DEVICE_STATE, b"")


def test_a_card_whose_reader_sleeps(pinpad):
    rig = pinpad("123456")
    rig.pnp.set_power(rig.pdo, 3)
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == (NTSTATUS.DEVICE_POWERED_OFF, b"")


def test_a_reader_without_a_pinpad_loads_none(make_rig):
    assert make_rig().slot.pinpad is None
