# SPDX-License-Identifier: Apache-2.0
"""What a driver's RDF_* callbacks are given, and what becomes of what they return."""

import pytest

from vreader.smclib.control import SmartcardDeviceControl
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS, BugCheck, IoCompleteRequest, IoMarkIrpPending

HEADER = bytes.fromhex("02000000 08000000")
VENDOR = 0x00312000
REQUESTS = {
    RDF.CARD_POWER: (Ioctl.SMARTCARD_POWER, b"\2\0\0\0", 33),
    RDF.TRANSMIT: (Ioctl.SMARTCARD_TRANSMIT, HEADER + b"\0\xa4\4\0", 258),
    RDF.SET_PROTOCOL: (Ioctl.SMARTCARD_SET_PROTOCOL, b"\2\0\0\0", 4),
    RDF.CARD_EJECT: (Ioctl.SMARTCARD_EJECT, b"", 0),
    RDF.READER_SWALLOW: (Ioctl.SMARTCARD_SWALLOW, b"", 0),
    RDF.CARD_CONFISCATE: (Ioctl.SMARTCARD_CONFISCATE, b"", 0),
    RDF.IOCTL_VENDOR: (VENDOR, b"in", 8),
}
S = NTSTATUS
STATUSES = {
    RDF.CARD_POWER: (S.SUCCESS, S.NO_MEDIA, S.IO_TIMEOUT, S.BUFFER_TOO_SMALL),
    RDF.TRANSMIT: (S.SUCCESS, S.NO_MEDIA, S.IO_TIMEOUT, S.INVALID_DEVICE_REQUEST),
    RDF.SET_PROTOCOL: (S.NO_MEDIA, S.IO_TIMEOUT, S.BUFFER_TOO_SMALL, S.INVALID_DEVICE_REQUEST),
    RDF.CARD_EJECT: (S.SUCCESS, S.NO_MEDIA, S.IO_TIMEOUT),
    RDF.READER_SWALLOW: (S.SUCCESS, S.NO_MEDIA, S.IO_TIMEOUT),
    RDF.CARD_CONFISCATE: (S.SUCCESS, S.NO_MEDIA, S.IO_TIMEOUT),
    RDF.IOCTL_VENDOR: (
        S.SUCCESS, S.NO_MEDIA, S.IO_TIMEOUT, S.BUFFER_TOO_SMALL, S.INVALID_DEVICE_REQUEST,
    ),
}  # fmt: skip


@pytest.fixture(params=REQUESTS, ids=lambda index: index.name)
def index(request):
    return request.param


@pytest.fixture
def ready(bench, index):
    """A reader in the state in which each callback is reached."""
    bench.reach(CardState.NEGOTIABLE if index is RDF.SET_PROTOCOL else CardState.SPECIFIC)
    return bench


@pytest.mark.wdk(
    "callback.library-completes",
    "helper.device-control",
    "callback.card-power.buffer-too-small",
    "callback.transmit.invalid-request",
    "callback.card-eject",
    "callback.reader-swallow",
    "callback.card-confiscate",
    "callback.set-protocol.io-timeout",
    "callback.ioctl-vendor.statuses",
    "ioctl.set-protocol.io-timeout",
    "ioctl.eject.io-timeout",
    "ioctl.swallow.io-timeout",
)
def test_the_request_ends_with_the_callbacks_own_status(ready, index):
    code, data, out = REQUESTS[index]
    for status in STATUSES[index]:
        ready.ext.ReaderFunction[index] = lambda ext, status=status: status
        assert ready.ioctl(code, data, out) == (status, b"")
        assert ready.ext.OsData.CurrentIrp is None


@pytest.mark.parametrize("returned", [None, 0, b"\x90\0"])
def test_a_callback_that_returns_no_status_is_named(ready, index, returned):
    code, data, out = REQUESTS[index]
    ready.ext.ReaderFunction[index] = lambda ext: returned
    what = type(returned).__name__
    with pytest.raises(BugCheck, match=f"RDF_{index.name} returned {what}, not an NTSTATUS"):
        ready.ioctl(code, data, out)


@pytest.mark.wdk(
    "callback.major-minor", "callback.own-functions", "struct.os-data.current-irp", "struct.os-data"
)
def test_a_callback_is_told_what_is_asked(ready, index):
    code, data, out = REQUESTS[index]
    seen = []

    def callback(ext):
        seen.append((ext.MajorIoControlCode, ext.OsData.CurrentIrp, ext.OsData.NotificationIrp))
        if index in (RDF.CARD_POWER, RDF.SET_PROTOCOL):
            seen.append(ext.MinorIoControlCode)
        return NTSTATUS.NO_MEDIA

    ready.ext.ReaderFunction[index] = callback
    answer = ready.send(code, data, out)
    assert seen[0] == (code, answer.irp, None)
    assert seen[1:] == ([2] if index in (RDF.CARD_POWER, RDF.SET_PROTOCOL) else [])
    assert ready.ext.OsData.DeviceObject is ready.fdo


@pytest.mark.wdk("callback.ioctl-vendor.statuses", "callback.own-functions")
def test_a_vendor_request_may_pend(bench):
    bench.hold(RDF.IOCTL_VENDOR)
    answer = bench.send(VENDOR, b"in", 8)
    assert answer.status is None
    answer.irp.IoStatus.Status = NTSTATUS.SUCCESS
    IoCompleteRequest(answer.irp)
    assert answer.status is NTSTATUS.SUCCESS


@pytest.mark.wdk("callback.hand-over", "routine.dispatch-device-control", "helper.device-control")
def test_the_driver_returns_what_the_library_returns(ready, index):
    code, data, out = REQUESTS[index]
    returned = []

    def dispatch(device, irp):
        returned.append(SmartcardDeviceControl(ready.ext, irp))
        return returned[-1]

    ready.driver.MajorFunction[0x0E] = dispatch
    ready.ext.ReaderFunction[index] = lambda ext: NTSTATUS.IO_TIMEOUT
    assert ready.ioctl(code, data, out)[0] is NTSTATUS.IO_TIMEOUT
    ready.hold(index)
    assert ready.send(code, data, out).status is None
    assert returned == [NTSTATUS.IO_TIMEOUT, NTSTATUS.PENDING]


@pytest.mark.wdk("callback.atr-parse.major")
def test_the_atr_parser_sees_the_code_of_the_request_in_hand(bench):
    bench.insert()
    bench.atr = b"\0"
    seen = []
    bench.ext.ReaderFunction[RDF.ATR_PARSE] = lambda ext: (
        seen.append(ext.MajorIoControlCode) or S.SUCCESS
    )
    assert bench.power()[0] is NTSTATUS.SUCCESS
    assert seen == [Ioctl.SMARTCARD_POWER]


@pytest.mark.wdk("callback.major-minor", "tracking.beside-request")
def test_tracking_beside_a_request_does_not_change_what_that_one_is(bench):
    bench.insert()
    bench.hold(RDF.CARD_POWER)
    held = bench.send(*REQUESTS[RDF.CARD_POWER])
    seen = []
    bench.ext.ReaderFunction[RDF.CARD_TRACKING] = lambda ext: (
        seen.append(ext.MajorIoControlCode) or bench.card_tracking(ext)
    )
    bench.send(Ioctl.SMARTCARD_IS_ABSENT)
    assert seen == [Ioctl.SMARTCARD_IS_ABSENT]
    assert bench.ext.MajorIoControlCode == Ioctl.SMARTCARD_POWER
    held.irp.IoStatus.Status = NTSTATUS.NO_MEDIA
    IoCompleteRequest(held.irp)


@pytest.mark.wdk("struct.os-data.notification-irp", "callback.io-request")
def test_tracking_gets_its_own_slot_and_no_buffers(bench):
    buffers = bench.ext.IoRequest.RequestBuffer
    seen = []

    def tracking(ext):
        data = ext.OsData
        seen.append((ext.MajorIoControlCode, data.NotificationIrp, data.CurrentIrp))
        IoMarkIrpPending(data.NotificationIrp)
        return NTSTATUS.PENDING

    bench.ext.ReaderFunction[RDF.CARD_TRACKING] = tracking
    answer = bench.send(Ioctl.SMARTCARD_IS_PRESENT, b"x", 4)
    assert seen == [(Ioctl.SMARTCARD_IS_PRESENT, answer.irp, None)]
    assert bench.ext.IoRequest.RequestBuffer is buffers


@pytest.mark.wdk("ioctl.get-last-error", "struct.last-error")
def test_no_error_is_kept_for_later(bench):
    bench.ext.ReaderFunction[RDF.IOCTL_VENDOR] = lambda ext: NTSTATUS.IO_TIMEOUT
    assert bench.ioctl(VENDOR)[0] is NTSTATUS.IO_TIMEOUT
    assert bench.ioctl(Ioctl.SMARTCARD_GET_LAST_ERROR, b"", 4) == (NTSTATUS.SUCCESS, bytes(4))
