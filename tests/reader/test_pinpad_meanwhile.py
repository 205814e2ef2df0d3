# SPDX-License-Identifier: Apache-2.0
"""What happens while the person types: others ask, the card leaves, the reader too."""

import pytest

from vreader.errors import UsageError
from vreader.reader.finger import Key
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

VERIFY_CODE, MODIFY_CODE = 0x42330006, 0x42330007
SUCCESS = NTSTATUS.SUCCESS


@pytest.mark.wdk("pinpad.pends", "callback.ioctl-vendor.statuses")
def test_others_are_told_that_the_reader_is_busy(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    assert answer.status is None
    busy = (NTSTATUS.DEVICE_BUSY, b"")
    assert rig.ioctl(VERIFY_CODE, rig.verify(), 2) == busy
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
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
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
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
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
    first = rig.send(VERIFY_CODE, rig.verify(), 2)
    (look,) = rig.held()
    typed = look.run()
    rig.clock.advance(30)
    assert first.data == b"\x64\x00"
    second = rig.send(VERIFY_CODE, rig.verify(), 2)
    look.finish(typed)
    assert second.status is None
    rig.work()
    assert rig.card.log == [bytes.fromhex("0020008008323232323232FFFF")]


def test_a_late_finger_does_not_type_at_the_next_prompt(pinpad):
    rig = pinpad("111111", None)
    answer = rig.send(MODIFY_CODE, rig.modify(), 2)
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
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    assert rig.cancel(answer)
    assert answer.status is NTSTATUS.CANCELLED
    assert not rig.press("123456")
    assert rig.apdu()[0] is SUCCESS


def test_cancellation_while_the_card_works(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    (look,) = rig.held()
    look.finish(look.run())
    (work,) = rig.held()
    assert rig.cancel(answer)
    assert answer.status is NTSTATUS.CANCELLED
    work.finish(work.run())


def test_the_last_handle_is_closed(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    rig.io.close_handle(rig.handle)
    assert answer.status is NTSTATUS.CANCELLED


def test_the_reader_falls_asleep(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    rig.pnp.set_power(rig.pdo, 3)
    assert answer.status is NTSTATUS.DEVICE_POWERED_OFF


def test_the_reader_is_pulled_out(pinpad):
    rig = pinpad()
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    rig.pnp.surprise_removal(rig.pdo)
    assert answer.status is NTSTATUS.NO_MEDIA
    rig.pnp.remove(rig.pdo)


def test_interrupted_work_leaves_the_prompt_to_its_time_out(pinpad):
    rig = pinpad("123456")
    answer = rig.send(VERIFY_CODE, rig.verify(), 2)
    (look,) = rig.held()
    look.finish(None)
    assert answer.status is None
    rig.clock.advance(30)
    assert answer.data == b"\x64\x00"


def test_keys_that_no_keypad_has(pinpad):
    rig = pinpad()
    rig.send(VERIFY_CODE, rig.verify(), 2)
    rig.work()
    with pytest.raises(UsageError):
        rig.press("12345x")
    assert rig.press(Key.CANCEL)
    assert not rig.press("123456")
