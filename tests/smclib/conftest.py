# SPDX-License-Identifier: Apache-2.0
"""A second reader driver, written on the kernel and the driver library alone."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.smclib.capabilities import SmartcardUpdateCardCapabilities
from vreader.smclib.control import SmartcardDeviceControl
from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl, Protocol
from vreader.smclib.library import (
    SmartcardCompleteCardTracking,
    SmartcardCreateLink,
    SmartcardEndCardTracking,
    SmartcardInitialize,
    set_state,
)
from vreader.smclib.profile import CONTACT
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION, SMCLIB_VERSION, VENDOR_ATTR
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    NTSTATUS,
    IoCallDriver,
    IoCancelIrp,
    IoCompleteRequest,
    IoGetCurrentIrpStackLocation,
    IoManager,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    IoSkipCurrentIrpStackLocation,
    PnpManager,
)

T1_ATR = bytes.fromhex("3B80800101")  # TD1: T=0, TD2: T=1


def u32(value):
    return value.to_bytes(4, "little")


class Answer:
    """What became of a request; ``status`` is None while it pends."""

    def __init__(self):
        self.status = None
        self.data = b""
        self.irp = None

    def __call__(self, status, data):
        assert self.status is None, "answered twice"
        self.status, self.data = status, data


class Bench:
    """A reader whose card answers at once, its library extension, and one open handle to it."""

    def __init__(self, profile=CONTACT, version=SMCLIB_VERSION):
        self.events = []
        emitter = Emitter()
        emitter.subscribe(self.events.append)
        self.clock = ManualClock()
        self.io = IoManager(self.clock, emitter)
        self.pnp = PnpManager(self.io)
        self.ext = ext = SMARTCARD_EXTENSION(Version=version, Profile=profile)
        ext.VendorAttr = VENDOR_ATTR(
            VendorName=b"Bench", IfdType=b"Slot", IfdSerialNo=b"0815", UnitNo=3,
            IfdVersion=(1, 2, 5),
        )  # fmt: skip
        ext.ReaderCapabilities.CurrentState = CardState.ABSENT
        table = ext.ReaderFunction
        table[RDF.CARD_POWER] = self.card_power
        table[RDF.TRANSMIT] = self.transmit
        table[RDF.CARD_TRACKING] = self.card_tracking
        table[RDF.SET_PROTOCOL] = self.set_protocol
        table[RDF.IOCTL_VENDOR] = self.vendor
        self.atr = T1_ATR
        self.calls = []
        self.driver = self.io.load_driver("bench", self.entry)
        self.pdo = self.pnp.add_device("bench0", self.driver)
        self.handle = self.open()

    # ---- the driver

    def entry(self, driver):
        driver.AddDevice = self.add_device
        for major in (IRP_MJ.CREATE, IRP_MJ.CLOSE):
            driver.MajorFunction[major] = self.simple
        driver.MajorFunction[IRP_MJ.CLEANUP] = self.cleanup
        driver.MajorFunction[IRP_MJ.DEVICE_CONTROL] = lambda device, irp: SmartcardDeviceControl(
            self.ext, irp
        )
        driver.MajorFunction[IRP_MJ.PNP] = self.pnp_request
        return NTSTATUS.SUCCESS

    def add_device(self, driver, pdo):
        self.fdo = self.io.IoCreateDevice(driver, "bench", None)
        status = SmartcardInitialize(self.ext, self.fdo)
        if status is NTSTATUS.SUCCESS:
            self.lower = self.io.IoAttachDeviceToDeviceStack(self.fdo, pdo)
            SmartcardCreateLink(self.fdo)
            self.fdo.Flags &= ~DO_DEVICE_INITIALIZING
        return status

    def simple(self, device, irp):
        irp.IoStatus.Status = NTSTATUS.SUCCESS
        IoCompleteRequest(irp)
        return NTSTATUS.SUCCESS

    def cleanup(self, device, irp):
        tracking = self.ext.OsData.NotificationIrp
        file = IoGetCurrentIrpStackLocation(irp).FileObject
        if tracking and IoGetCurrentIrpStackLocation(tracking).FileObject is file:
            SmartcardEndCardTracking(self.ext, NTSTATUS.CANCELLED)
        return self.simple(device, irp)

    def pnp_request(self, device, irp):
        IoSkipCurrentIrpStackLocation(irp)
        return IoCallDriver(self.lower, irp)

    # ---- its callbacks

    def reply(self, data):
        self.ext.IoRequest.ReplyBuffer[: len(data)] = data
        self.ext.IoRequest.Information = len(data)
        return NTSTATUS.SUCCESS

    def card_power(self, ext):
        self.calls.append(("power", ext.MinorIoControlCode))
        if ext.MinorIoControlCode == 0:
            return set_state(ext, ReaderEvent.POWER_DOWN)
        ext.CardCapabilities.ATR = self.atr
        status = SmartcardUpdateCardCapabilities(ext)
        return self.reply(self.atr) if status is NTSTATUS.SUCCESS else status

    def set_protocol(self, ext):
        self.calls.append(("protocol", ext.MinorIoControlCode))
        chosen = Protocol.T1 if ext.MinorIoControlCode & Protocol.T1 else Protocol.T0
        set_state(ext, ReaderEvent.SET_PROTOCOL)
        ext.CardCapabilities.Protocol.Selected = chosen
        return self.reply(u32(chosen))

    def transmit(self, ext):
        request = ext.IoRequest
        start = int.from_bytes(request.RequestBuffer[4:8], "little")
        self.calls.append(
            ("transmit", bytes(request.RequestBuffer[start : request.RequestBufferLength]))
        )
        header = bytes(request.RequestBuffer[:4]) + u32(IO_REQUEST_SIZE)
        return self.reply(header + b"\x6a\x82")

    def card_tracking(self, ext):
        irp = ext.OsData.NotificationIrp
        IoSetCancelRoutine(
            irp, lambda device, irp: SmartcardEndCardTracking(ext, NTSTATUS.CANCELLED)
        )
        IoMarkIrpPending(irp)
        return NTSTATUS.PENDING

    def vendor(self, ext):
        self.calls.append(("vendor", ext.MajorIoControlCode))
        return NTSTATUS.INVALID_DEVICE_REQUEST

    # ---- what a test does

    def open(self):
        status, handle = self.io.create_file(r"\\.\SCReader0")
        assert status is NTSTATUS.SUCCESS
        return handle

    def send(self, code, data=b"", out=0, handle=None):
        answer = Answer()
        answer.irp = self.io.device_io_control(handle or self.handle, code, data, out, answer)
        return answer

    def ioctl(self, code, data=b"", out=0):
        answer = self.send(code, data, out)
        assert answer.status is not None, "pending"
        return answer.status, answer.data

    def cancel(self, answer):
        return IoCancelIrp(answer.irp)

    def insert(self):
        set_state(self.ext, ReaderEvent.INSERTED)
        SmartcardCompleteCardTracking(self.ext)

    def remove(self):
        set_state(self.ext, ReaderEvent.REMOVED)
        SmartcardCompleteCardTracking(self.ext)

    @property
    def state(self):
        return self.ext.ReaderCapabilities.CurrentState

    def power(self, minor=1, out=33):
        return self.ioctl(Ioctl.SMARTCARD_POWER, u32(minor), out)

    def protocol(self, mask=3, out=4):
        return self.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, u32(mask), out)

    def apdu(self, command=b"\0\xa4\4\0", protocol=2, out=258):
        return self.ioctl(Ioctl.SMARTCARD_TRANSMIT, u32(protocol) + u32(8) + command, out)

    def reach(self, state):
        """Bring the reader into ``state`` the way a caller would."""
        if state is CardState.UNKNOWN or state is CardState.POWERED:
            self.ext.ReaderCapabilities.CurrentState = state  # no request leads there
        elif state > CardState.ABSENT:
            self.insert()
        if state is CardState.PRESENT:
            set_state(self.ext, ReaderEvent.EJECT)
        if state >= CardState.NEGOTIABLE:
            assert self.power()[0] is NTSTATUS.SUCCESS
        if state is CardState.SPECIFIC and self.state is not state:
            assert self.protocol()[0] is NTSTATUS.SUCCESS
        assert self.state is state
        self.calls.clear()

    def hold(self, index):
        """Have callback ``index`` return PENDING; complete the IRP to end it."""

        def pend(ext):
            IoMarkIrpPending(ext.OsData.CurrentIrp)
            return NTSTATUS.PENDING

        self.ext.ReaderFunction[index] = pend


@pytest.fixture
def make_bench():
    return Bench


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture(scope="session")
def bench_class():
    return Bench
