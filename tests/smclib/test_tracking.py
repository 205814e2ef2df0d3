# SPDX-License-Identifier: Apache-2.0
"""The life of a tracking request, IS_PRESENT or IS_ABSENT, in the driver library."""

import pytest

from vreader.smclib.ioctl import Ioctl
from vreader.smclib.library import SmartcardCompleteCardTracking, SmartcardEndCardTracking
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS, BugCheck

IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT


def slot_of(bench):
    return bench.ext.OsData.NotificationIrp


@pytest.mark.wdk(
    "tracking.absent-at-once",
    "tracking.present-at-once",
    "ioctl.is-present.success",
    "ioctl.is-absent.success",
    "state.order",
    "callback.card-tracking.success",
)
@pytest.mark.parametrize("state", CardState)
def test_what_is_so_already_succeeds_at_once(bench, state):
    bench.reach(state)
    code = IS_PRESENT if state > CardState.ABSENT else IS_ABSENT
    assert bench.ioctl(code) == (NTSTATUS.SUCCESS, b"")
    assert slot_of(bench) is None


@pytest.mark.wdk(
    "tracking.present-pends",
    "tracking.information",
    "ioctl.is-present.pending",
    "struct.os-data.notification-irp",
    "callback.card-tracking.pending",
)
def test_is_present_pends_until_insertion(bench):
    answer = bench.send(IS_PRESENT)
    assert answer.status is None
    assert slot_of(bench) is answer.irp
    bench.insert()
    assert (answer.status, answer.data) == (NTSTATUS.SUCCESS, b"")
    assert answer.irp.IoStatus.Information == 0
    assert slot_of(bench) is None


@pytest.mark.wdk("tracking.absent-pends", "ioctl.is-absent.pending")
def test_is_absent_pends_until_removal(bench):
    bench.insert()
    answer = bench.send(IS_ABSENT)
    assert answer.status is None
    bench.remove()
    assert answer.status is NTSTATUS.SUCCESS


@pytest.mark.wdk(
    "tracking.second-request-busy",
    "ioctl.is-present.busy",
    "ioctl.is-absent.busy",
    "callback.card-tracking.busy",
)
@pytest.mark.parametrize("second", [IS_PRESENT, IS_ABSENT])
@pytest.mark.parametrize("card_in", [False, True])
def test_one_slot_serves_both_codes(bench, second, card_in):
    if card_in:
        bench.insert()
    first = bench.send(IS_ABSENT if card_in else IS_PRESENT)
    assert bench.ioctl(second) == (NTSTATUS.DEVICE_BUSY, b"")
    assert first.status is None
    assert slot_of(bench) is first.irp


@pytest.mark.wdk("tracking.cancel", "ioctl.is-present.cancelled")
def test_cancel_frees_the_slot(bench):
    answer = bench.send(IS_PRESENT)
    assert bench.cancel(answer)
    assert answer.status is NTSTATUS.CANCELLED
    assert slot_of(bench) is None
    again = bench.send(IS_PRESENT)
    assert again.status is None
    bench.insert()
    assert again.status is NTSTATUS.SUCCESS


@pytest.mark.wdk("tracking.close-handle")
def test_closing_the_handle_cancels(bench):
    answer = bench.send(IS_PRESENT)
    bench.io.close_handle(bench.handle)
    assert answer.status is NTSTATUS.CANCELLED
    assert slot_of(bench) is None
    bench.handle = bench.open()
    assert bench.send(IS_PRESENT).status is None


@pytest.mark.wdk("tracking.other-handle")
def test_another_handles_close_leaves_it_alone(bench):
    bench.pdo.exclusive = False
    answer = bench.send(IS_PRESENT)
    bench.io.close_handle(bench.open())
    assert answer.status is None
    assert slot_of(bench) is answer.irp


def test_tracking_can_be_asked_again_from_inside_its_answer(bench):
    told = []

    def watch(code):
        def done(status, data):
            told.append((Ioctl(code).name, status))
            watch(IS_ABSENT if code == IS_PRESENT else IS_PRESENT)

        bench.io.device_io_control(bench.handle, code, b"", 0, done)

    watch(IS_PRESENT)
    for _ in range(2):
        bench.insert()
        bench.remove()
    assert [name for name, _ in told] == ["SMARTCARD_IS_PRESENT", "SMARTCARD_IS_ABSENT"] * 2
    assert {status for _, status in told} == {NTSTATUS.SUCCESS}


@pytest.mark.wdk("helper.complete-card-tracking")
def test_completing_nothing_is_harmless(bench):
    SmartcardCompleteCardTracking(bench.ext)
    SmartcardEndCardTracking(bench.ext, NTSTATUS.DEVICE_REMOVED)


@pytest.mark.wdk("helper.complete-card-tracking")
def test_a_cancelled_request_completes_cancelled_even_by_the_event(bench):
    answer = bench.send(IS_PRESENT)
    answer.irp.Cancel = True  # as between the request for cancellation and its routine
    SmartcardCompleteCardTracking(bench.ext)
    assert answer.status is NTSTATUS.CANCELLED


def test_a_callback_that_returns_no_status_is_named(bench):
    bench.ext.ReaderFunction[RDF.CARD_TRACKING] = lambda ext: None
    with pytest.raises(BugCheck, match="RDF_CARD_TRACKING returned NoneType"):
        bench.ioctl(IS_PRESENT)


@pytest.mark.wdk("callback.card-tracking.invalid-state", "ioctl.is-present.invalid-state")
def test_a_callback_that_refuses_tracking_leaves_the_slot_empty(bench):
    bench.ext.ReaderFunction[RDF.CARD_TRACKING] = lambda ext: NTSTATUS.INVALID_DEVICE_STATE
    assert bench.ioctl(IS_PRESENT) == (NTSTATUS.INVALID_DEVICE_STATE, b"")
    assert slot_of(bench) is None
    assert bench.ext.OsData.RemoveLock.count == 0
