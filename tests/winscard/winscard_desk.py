# SPDX-License-Identifier: Apache-2.0
"""A resource manager at a desk: one thread, a manual clock, calls that wait are just held."""

from vreader.clock import ManualClock
from vreader.host import Host
from vreader.wdm import IRP_MJ, NTSTATUS, IoCallDriver, IoCompleteRequest
from vreader.winscard import operations
from vreader.winscard.call import Call

ATR = bytes.fromhex("3B80800101")
ECHO = b"\0\xa4\4\0"


class Card:
    """Echoes; notes what it is asked."""

    def __init__(self, atr=ATR):
        self.atr = atr
        self.log = []

    def power_on(self):
        self.log.append("on")
        return self.atr

    def reset(self):
        self.log.append("reset")
        return self.atr

    def power_off(self):
        self.log.append("off")

    def transmit(self, c_apdu):
        self.log.append(c_apdu)
        return c_apdu + b"\x90\x00"


class Desk:
    """A host, and programs whose every call is at hand.

    Attributes:
        told: the events so far.
    """

    def __init__(self, profile, **options):
        self.clock = ManualClock()
        self.host = Host(profile, clock=self.clock)
        self.told = []
        self.host.events.subscribe(self.told.append)
        self.rm = self.host.rm
        self.slot = self.host.add_reader("Desk Reader", **options)

    @property
    def reader(self):
        return self.rm.readers[self.slot.name]

    def insert(self, card=None):
        card = Card() if card is None else card
        self.slot.insert(card)
        return card

    def start(self, name, *args, **kwargs):
        """Start a call; it may have to wait."""
        call = Call(self.host.io, getattr(operations, name)(self.rm, *args, **kwargs))
        self.host.run(call.start)
        return call

    def do(self, name, *args, **kwargs):
        """Make a call that does not wait, and return its value."""
        call = self.start(name, *args, **kwargs)
        assert call.done, f"{name} waits"
        return call.result()

    def context(self, *, serial=False):
        return self.host.run(self.rm.establish_context, 2, serial=serial)

    def connect(self, context=None, share=2, protocols=3):
        context = self.context() if context is None else context
        handle, _ = self.do("connect", context, self.slot.name, share, protocols)
        return handle

    def transmit(self, handle, command=ECHO):
        return self.do("transmit", handle, self.reader.protocol, command, 300)

    def pass_time(self, seconds):
        self.host.run(self.clock.advance, seconds)


class Recorder:
    """An upper filter driver: notes every request, and may answer it in the driver's place.

    Attributes:
        seen: (major, code, first four bytes of the input as a number) of each.
        answers: code → function(irp) that returns the status it completes with, or None to pass on.
    """

    def __init__(self):
        self.seen = []
        self.answers = {}

    def entry(self, driver):
        driver.AddDevice = self._add
        for major in range(len(driver.MajorFunction)):
            driver.MajorFunction[major] = self._dispatch
        return NTSTATUS.SUCCESS

    def _add(self, driver, pdo):
        device = driver.io.IoCreateDevice(driver, "recorder", None)
        device.DeviceExtension = driver.io.IoAttachDeviceToDeviceStack(device, pdo)
        device.Flags = 0
        return NTSTATUS.SUCCESS

    def _dispatch(self, device, irp):
        location = irp.stack[irp.current]
        major, code = IRP_MJ(location.MajorFunction), location.IoControlCode
        word = int.from_bytes(irp.SystemBuffer[:4], "little") if location.InputBufferLength else 0
        minor = location.MinorFunction if major is IRP_MJ.PNP else word
        self.seen.append((major.name, int(code), int(minor)))
        if major is IRP_MJ.DEVICE_CONTROL and code in self.answers:
            status = self.answers[code](irp)
            if status is not None:
                irp.IoStatus.Status = status
                IoCompleteRequest(irp)
                return status
        irp.current += 1  # IoSkipCurrentIrpStackLocation
        status = IoCallDriver(device.DeviceExtension, irp)
        if major is IRP_MJ.PNP and minor == 2:  # REMOVE_DEVICE
            device.DriverObject.io.IoDetachDevice(device.DeviceExtension)
            device.DriverObject.io.IoDeleteDevice(device)
        return status
