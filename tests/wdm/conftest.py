# SPDX-License-Identifier: Apache-2.0
"""A computer without readers: an I/O manager, a PnP manager and drivers made on the spot."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    IRP_MN,
    NTSTATUS,
    DriverObject,
    IoAllocateIrp,
    IoCallDriver,
    IoCompleteRequest,
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    IoManager,
    IoMarkIrpPending,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
    PnpManager,
)

LINK = r"\\.\Thing0"


def complete(irp, status=NTSTATUS.SUCCESS, information=0):
    irp.IoStatus.Status, irp.IoStatus.Information = status, information
    IoCompleteRequest(irp)
    return status


class Stack:
    """Device objects on top of each other; the lowest dispatch routine is given first."""

    def __init__(self, *dispatches):
        self.io = IoManager(ManualClock(), Emitter())
        self.devices = []
        for number, dispatch in enumerate(dispatches):
            driver = DriverObject(self.io, f"driver{number}", {})
            driver.MajorFunction[IRP_MJ.DEVICE_CONTROL] = dispatch
            device = self.io.IoCreateDevice(driver, f"device{number}", None)
            if self.devices:
                self.io.IoAttachDeviceToDeviceStack(device, self.devices[-1])
            self.devices.append(device)
        self.done = []

    def new_irp(self, size=None):
        irp = IoAllocateIrp(self.devices[-1].StackSize if size is None else size)
        IoGetNextIrpStackLocation(irp).MajorFunction = IRP_MJ.DEVICE_CONTROL
        irp.done = self.done.append
        return irp

    def send(self, irp=None):
        irp = irp or self.new_irp()
        return IoCallDriver(self.devices[-1], irp), irp


class Thing:
    """A function driver for a device that is no reader; requests are answered by ``answer``."""

    def __init__(self):
        self.heard = []
        self.lower = self.fdo = None
        self.answer = lambda device, irp: complete(irp)
        self.ready = True

    def entry(self, driver):
        driver.AddDevice = self.add_device
        driver.DriverUnload = lambda driver: self.heard.append("UNLOAD")
        for major in (IRP_MJ.CREATE, IRP_MJ.CLEANUP, IRP_MJ.CLOSE):
            driver.MajorFunction[major] = self.simple
        driver.MajorFunction[IRP_MJ.DEVICE_CONTROL] = self.control
        driver.MajorFunction[IRP_MJ.PNP] = self.pnp
        driver.MajorFunction[IRP_MJ.POWER] = self.power
        return NTSTATUS.SUCCESS

    def add_device(self, driver, pdo):
        self.fdo = driver.io.IoCreateDevice(driver, "thing", None)
        self.lower = driver.io.IoAttachDeviceToDeviceStack(self.fdo, pdo)
        driver.io.IoCreateSymbolicLink(LINK, self.fdo)
        if self.ready:
            self.fdo.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    def simple(self, device, irp):
        self.heard.append(IRP_MJ(IoGetCurrentIrpStackLocation(irp).MajorFunction).name)
        return complete(irp)

    def control(self, device, irp):
        self.heard.append("DEVICE_CONTROL")
        return self.answer(device, irp)

    def pnp(self, device, irp):
        minor = IRP_MN(IoGetCurrentIrpStackLocation(irp).MinorFunction)
        self.heard.append(minor.name)
        IoSkipCurrentIrpStackLocation(irp)
        status = IoCallDriver(self.lower, irp)
        if minor is IRP_MN.REMOVE_DEVICE:
            device.DriverObject.io.IoDetachDevice(self.lower)
            device.DriverObject.io.IoDeleteDevice(device)
        return status

    def power(self, device, irp):
        self.heard.append(f"D{IoGetCurrentIrpStackLocation(irp).Parameters.state}")
        IoSkipCurrentIrpStackLocation(irp)
        return IoCallDriver(self.lower, irp)


class PassThrough:
    """An upper filter driver that sees every IRP, on the way down and, if asked to, up."""

    def __init__(self, *, completion):
        self.completion = completion
        self.down, self.up = [], []
        self.lower = None

    def entry(self, driver):
        driver.AddDevice = self.add_device
        driver.MajorFunction[:] = [self.dispatch] * len(driver.MajorFunction)
        return NTSTATUS.SUCCESS

    def add_device(self, driver, pdo):
        device = driver.io.IoCreateDevice(driver, "filter", None)
        self.lower = driver.io.IoAttachDeviceToDeviceStack(device, pdo)
        device.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    def dispatch(self, device, irp):
        location = IoGetCurrentIrpStackLocation(irp)
        major, minor = IRP_MJ(location.MajorFunction), location.MinorFunction
        self.down.append(major.name)
        if self.completion:
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, self.completed, major.name)
        else:
            IoSkipCurrentIrpStackLocation(irp)
        status = IoCallDriver(self.lower, irp)
        if major is IRP_MJ.PNP and minor == IRP_MN.REMOVE_DEVICE:
            device.DriverObject.io.IoDetachDevice(self.lower)
            device.DriverObject.io.IoDeleteDevice(device)
        return status

    def completed(self, device, irp, context):
        if irp.PendingReturned:
            IoMarkIrpPending(irp)
        self.up.append((context, irp.IoStatus.Status))
        return NTSTATUS.SUCCESS


class Computer:
    """One Thing, plugged in."""

    def __init__(self, *, exclusive=True, filters=(), ready=True):
        self.events = []
        emitter = Emitter()
        emitter.subscribe(self.events.append)
        self.io = IoManager(ManualClock(), emitter)
        self.pnp = PnpManager(self.io)
        self.thing = Thing()
        self.thing.ready = ready
        self.driver = self.io.load_driver("thing", self.thing.entry)
        self.pdo = self.pnp.add_device("thing0", self.driver, exclusive=exclusive, filters=filters)
        self.thing.heard.clear()

    def open(self):
        status, handle = self.io.create_file(LINK)
        assert status is NTSTATUS.SUCCESS
        return handle

    def request(self, handle, data=b"", out_length=0, code=0x1234):
        answers = []
        irp = self.io.device_io_control(
            handle, code, data, out_length, lambda status, out: answers.append((status, out))
        )
        return answers, irp


@pytest.fixture
def make_stack():
    return Stack


@pytest.fixture
def make_computer():
    return Computer


@pytest.fixture
def make_filter():
    return PassThrough


@pytest.fixture
def computer():
    return Computer()


@pytest.fixture
def finish():
    return complete


@pytest.fixture
def keeper(computer):
    """The driver pends every PnP and power request; ``let_go`` passes the oldest one on."""
    kept = []
    for major in (IRP_MJ.PNP, IRP_MJ.POWER):
        computer.driver.MajorFunction[major] = lambda device, irp: (
            kept.append((device, irp)) or IoMarkIrpPending(irp) or NTSTATUS.PENDING
        )

    def let_go():
        device, irp = kept.pop(0)
        removes = irp.stack[irp.current].MajorFunction == IRP_MJ.PNP
        removes = removes and irp.stack[irp.current].MinorFunction == IRP_MN.REMOVE_DEVICE
        if removes:
            computer.io.IoDetachDevice(computer.thing.lower)
            computer.io.IoDeleteDevice(device)
        IoCopyCurrentIrpStackLocationToNext(irp)
        IoCallDriver(computer.thing.lower, irp)

    computer.let_go, computer.kept = let_go, kept
    computer.asked = lambda: [
        IRP_MN(irp.stack[irp.current].MinorFunction).name for _, irp in kept
    ]  # fmt: skip
    return computer
