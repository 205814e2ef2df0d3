# SPDX-License-Identifier: Apache-2.0
"""SmartcardDeviceControl: every request, its buffers, the order of the checks, the statuses."""

import pytest

from vreader.iso7816 import Atr
from vreader.smclib.ioctl import SCARD_CTL_CODE, Ioctl
from vreader.smclib.library import SmartcardAcquireRemoveLock, SmartcardReleaseRemoveLockAndWait
from vreader.smclib.osdata import NOT_INITIALIZED
from vreader.smclib.profile import NFC
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS, BugCheck, IoCompleteRequest

POWER, TRANSMIT = Ioctl.SMARTCARD_POWER, Ioctl.SMARTCARD_TRANSMIT
SET_PROTOCOL, GET_STATE = Ioctl.SMARTCARD_SET_PROTOCOL, Ioctl.SMARTCARD_GET_STATE
IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
EJECT, SWALLOW = Ioctl.SMARTCARD_EJECT, Ioctl.SMARTCARD_SWALLOW
CONFISCATE = Ioctl.SMARTCARD_CONFISCATE

T1_ATR = bytes.fromhex("3B80800101")
COLD, NO_CARD = b"\1\0\0\0", NTSTATUS.NO_MEDIA
HEADER = bytes.fromhex("02000000 08000000")
SELECT = bytes.fromhex("00A4040009A00000030800001000 00")


def u32(value):
    return value.to_bytes(4, "little")


def finish(irp, status=NTSTATUS.SUCCESS):
    irp.IoStatus.Status = status
    IoCompleteRequest(irp)


# ------------------------------------------------------------------ one conversation, byte by byte


@pytest.mark.wdk(
    "example.get-state",
    "example.power",
    "example.set-protocol",
    "example.transmit-bytes",
    "transition.negotiable.set-protocol",
    "transition.specific.transmit",
    "transition.specific.power-down",
    "ioctl.get-state.output",
    "ioctl.power.information",
)
def test_a_card_from_insertion_to_power_down(bench):
    bench.insert()
    assert bench.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, u32(3))
    assert bench.ioctl(POWER, COLD, 33) == (NTSTATUS.SUCCESS, T1_ATR)
    assert bench.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, u32(5))
    assert bench.ioctl(SET_PROTOCOL, u32(3), 4) == (NTSTATUS.SUCCESS, u32(2))
    assert bench.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, bytes.fromhex("06000000"))
    reply = bytes.fromhex("02000000 08000000 6A82")
    assert bench.ioctl(TRANSMIT, HEADER + SELECT, 10) == (NTSTATUS.SUCCESS, reply)
    assert bench.ioctl(POWER, u32(0)) == (NTSTATUS.SUCCESS, b"")
    assert bench.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, u32(3))
    assert bench.calls == [("power", 1), ("protocol", 3), ("transmit", SELECT), ("power", 0)]


# ------------------------------------------------------------------ callbacks and their buffers


@pytest.mark.wdk("callback.information", "check.order.callback")
def test_a_reply_of_a_failed_callback_is_not_copied(bench):
    bench.reach(CardState.SPECIFIC)

    def fail(ext):
        ext.IoRequest.ReplyBuffer[:10] = bytes(10)
        ext.IoRequest.Information = 10
        return NTSTATUS.IO_TIMEOUT

    bench.ext.ReaderFunction[RDF.TRANSMIT] = fail
    assert bench.apdu() == (NTSTATUS.IO_TIMEOUT, b"")
    assert bench.state is CardState.SPECIFIC


@pytest.mark.wdk("kernel.buffered", "callback.io-request", "struct.io-request")
def test_a_callback_can_destroy_its_own_input(bench):
    bench.reach(CardState.SPECIFIC)
    request = bench.ext.IoRequest

    def clumsy(ext):
        assert request.RequestBuffer is request.ReplyBuffer
        request.ReplyBuffer[:12] = b"\xee" * 12
        assert request.RequestBuffer[8:12] == b"\xee" * 4
        request.Information = 12
        return NTSTATUS.SUCCESS

    bench.ext.ReaderFunction[RDF.TRANSMIT] = clumsy
    assert bench.apdu() == (NTSTATUS.SUCCESS, b"\xee" * 12)


# ------------------------------------------------------------------ NULL callbacks, unknown codes


@pytest.mark.wdk(
    "callback.null",
    "check.order.null-callback",
    "ioctl.confiscate",
    "ioctl.eject.not-supported",
    "ioctl.swallow.not-supported",
)
@pytest.mark.parametrize(
    ("code", "index"),
    [
        (POWER, RDF.CARD_POWER),
        (TRANSMIT, RDF.TRANSMIT),
        (SET_PROTOCOL, RDF.SET_PROTOCOL),
        (EJECT, RDF.CARD_EJECT),
        (SWALLOW, RDF.READER_SWALLOW),
        (CONFISCATE, RDF.CARD_CONFISCATE),
        (IS_PRESENT, RDF.CARD_TRACKING),
        (IS_ABSENT, RDF.CARD_TRACKING),
        (SCARD_CTL_CODE(2048), RDF.IOCTL_VENDOR),
    ],
)
@pytest.mark.parametrize("state", [CardState.ABSENT, CardState.SPECIFIC])
def test_a_null_callback_is_not_supported_before_anything_else_is_looked_at(
    bench, code, index, state
):
    bench.reach(state)
    bench.ext.ReaderFunction[index] = None
    assert bench.ioctl(code) == (NTSTATUS.NOT_SUPPORTED, b"")


@pytest.mark.wdk(
    "ioctl.unknown",
    "ioctl.code.retired",
    "ioctl.code.pcsclite",
    "check.order.unknown-code",
    "routine.dispatch-device-control.unknown",
    "callback.ioctl-vendor",
)
@pytest.mark.parametrize(
    "code",
    [0x00310020, 0x00310034, 0x00312000, 0x00313520, 0x42000D48, 0x42330012, 0, 0xFFFFFFFF],
    ids=hex,
)  # fmt: skip
def test_a_code_the_library_does_not_know_goes_unchanged_to_the_driver(bench, code):
    assert bench.ioctl(code, b"in", 8) == (NTSTATUS.INVALID_DEVICE_REQUEST, b"")
    assert bench.calls == [("vendor", code)]


@pytest.mark.wdk("callback.ioctl-vendor", "callback.io-request", "ioctl.code.vendor-range")
def test_a_vendor_request_gets_its_buffers_whatever_the_state(bench):
    def vendor(ext):
        request = ext.IoRequest
        assert (request.RequestBufferLength, request.ReplyBufferLength) == (2, 8)
        request.ReplyBuffer[:3] = b"out"
        request.Information = 3
        return NTSTATUS.SUCCESS

    bench.ext.ReaderFunction[RDF.IOCTL_VENDOR] = vendor
    assert bench.ioctl(0x00312000, b"in", 8) == (NTSTATUS.SUCCESS, b"out")


# ------------------------------------------------------------------ busy


@pytest.mark.wdk("callback.pending", "check.order.device-busy", "callback.one-at-a-time")
@pytest.mark.parametrize("code", [code for code in Ioctl if code not in (IS_PRESENT, IS_ABSENT)])
def test_while_a_callback_pends_others_are_busy(bench, code):
    bench.reach(CardState.SPECIFIC)
    bench.hold(RDF.TRANSMIT)
    held = bench.send(TRANSMIT, HEADER + SELECT, 258)
    assert bench.ioctl(code, b"", 33) == (NTSTATUS.DEVICE_BUSY, b"")
    assert held.status is None
    finish(held.irp, NTSTATUS.NO_MEDIA)
    assert held.status is NTSTATUS.NO_MEDIA
    assert bench.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, u32(6))


@pytest.mark.wdk("callback.pending")
def test_a_vendor_request_makes_others_busy_too(bench):
    bench.hold(RDF.IOCTL_VENDOR)
    held = bench.send(0x00312000)
    assert bench.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.DEVICE_BUSY
    assert bench.ioctl(0x00312004)[0] is NTSTATUS.DEVICE_BUSY
    finish(held.irp)
    assert bench.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("tracking.beside-request", "callback.one-at-a-time")
def test_tracking_is_not_kept_waiting_by_a_callback_nor_the_reverse(bench):
    bench.reach(CardState.SPECIFIC)
    bench.hold(RDF.TRANSMIT)
    held = bench.send(TRANSMIT, HEADER + SELECT, 258)
    assert bench.ioctl(IS_PRESENT) == (NTSTATUS.SUCCESS, b"")
    tracking = bench.send(IS_ABSENT)
    assert tracking.status is None
    finish(held.irp)
    assert bench.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.SUCCESS  # tracking pends: not busy
    bench.remove()
    assert tracking.status is NTSTATUS.SUCCESS


def test_one_reader_is_ready_again_inside_the_answer(bench):
    bench.reach(CardState.SPECIFIC)
    bench.hold(RDF.TRANSMIT)
    inner = []
    irp = bench.io.device_io_control(
        bench.handle, TRANSMIT, HEADER + SELECT, 258,
        lambda status, data: inner.append(bench.ioctl(GET_STATE, b"", 4)[0]),
    )  # fmt: skip
    finish(irp)
    assert inner == [NTSTATUS.SUCCESS]


# ------------------------------------------------------------------ remove lock


@pytest.mark.wdk("check.order.delete-pending", "lock.delete-pending")
@pytest.mark.parametrize("code", [*Ioctl, 0x00312000], ids=hex)
def test_after_release_and_wait_everything_is_delete_pending(bench, code):
    assert SmartcardAcquireRemoveLock(bench.ext) is NTSTATUS.SUCCESS
    SmartcardReleaseRemoveLockAndWait(bench.ext, lambda: None)
    assert bench.ioctl(code, u32(1), 33) == (NTSTATUS.DELETE_PENDING, b"")


@pytest.mark.wdk("lock.every-request")
def test_requests_in_hand_hold_the_remove_lock(bench):
    bench.reach(CardState.SPECIFIC)
    bench.hold(RDF.TRANSMIT)
    transmit = bench.send(TRANSMIT, HEADER + SELECT, 258)
    tracking = bench.send(IS_ABSENT)
    SmartcardAcquireRemoveLock(bench.ext)
    gone = []
    SmartcardReleaseRemoveLockAndWait(bench.ext, lambda: gone.append(True))
    finish(transmit.irp, NTSTATUS.CANCELLED)
    assert gone == []
    assert bench.cancel(tracking)
    assert gone == [True]


# ------------------------------------------------------------------ counters


@pytest.mark.wdk("ioctl.get-perf-cntr", "struct.perf-info", "attribute.perf-num-transmissions")
def test_counters_count_successful_transmissions(bench):
    bench.reach(CardState.SPECIFIC)
    bench.hold(RDF.TRANSMIT)
    irp = bench.send(TRANSMIT, HEADER + b"12345", 258).irp
    bench.clock.advance(0.25)
    irp.IoStatus.Information = 8 + 2
    finish(irp)
    finish(bench.send(TRANSMIT, HEADER + b"12345", 258).irp, NTSTATUS.IO_TIMEOUT)
    status, data = bench.ioctl(Ioctl.SMARTCARD_GET_PERF_CNTR, b"", 12)
    assert status is NTSTATUS.SUCCESS
    assert data == u32(1) + u32(5 + 2) + u32(250_000)


def test_without_smartcard_initialize_it_is_a_bug_check(bench):
    bench.ext.OsData = NOT_INITIALIZED
    with pytest.raises(BugCheck, match="without SmartcardInitialize"):
        bench.ioctl(GET_STATE, b"", 4)


@pytest.mark.wdk("ioctl.power.nfc-reset")
def test_nfc_readers_are_specific_after_a_reset_and_speak_at_once(make_bench):
    bench = make_bench(NFC)
    bench.insert()
    assert bench.ioctl(POWER, COLD, 33) == (NTSTATUS.SUCCESS, T1_ATR)
    assert bench.state is CardState.SPECIFIC
    assert bench.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(0x00080201), 4)[1] == u32(2)
    assert bench.apdu()[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("transition.reset.specific", "check.power.protocol")
@pytest.mark.parametrize("protocol", [0, 1])
def test_ta2_fixes_the_protocol(bench, protocol):
    bench.atr = bytes(Atr.build(protocols=(protocol,), ta2=0x80 | protocol))
    bench.insert()
    assert bench.power()[0] is NTSTATUS.SUCCESS
    assert bench.state is CardState.SPECIFIC
    assert bench.apdu(protocol=1 << protocol)[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk(
    "ioctl.power.unrecognized-media",
    "transition.reset.failed",
    "atr.ts",
    "atr.tck",
    "atr.rfu-index",
)
@pytest.mark.parametrize("atr", ["3B", "3C00", "3B80800102", "3B1070", "3B0400", "3B02ABCDEF"])
def test_a_garbled_atr_is_unrecognized_media_and_leaves_the_card_unpowered(bench, atr):
    bench.reach(CardState.SPECIFIC)
    bench.atr = bytes.fromhex(atr)
    assert bench.power() == (NTSTATUS.UNRECOGNIZED_MEDIA, b"")
    assert bench.state is CardState.SWALLOWED
    assert bench.apdu()[0] is NTSTATUS.INVALID_DEVICE_STATE
