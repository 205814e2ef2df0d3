# SPDX-License-Identifier: Apache-2.0
"""The virtual reader without a host: a test runs the card's work itself, or holds it back."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.reader.driver import ReaderSettings, VirtualReader
from vreader.reader.events import ApduEvent, CardEvent, CardFaultEvent
from vreader.reader.hardware import SlotHardware
from vreader.reader.linkspec import LinkSettings
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.profile import CONTACT
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    NTSTATUS,
    IoCallDriver,
    IoCancelIrp,
    IoCopyCurrentIrpStackLocationToNext,
    IoManager,
    IoMarkIrpPending,
    PnpManager,
)

LINK = r"\\.\SCReader0"
ATR = bytes.fromhex("3B80800101")  # T=0 and T=1
HEADER = bytes.fromhex("0200000008000000")


def u32(value):
    return value.to_bytes(4, "little")


class ScriptedCard:
    """A card that notes what is done to it and answers from a script, else 9000."""

    def __init__(self, atr=ATR):
        self.atr = atr
        self.log = []
        self.script = []

    def _next(self, default):
        answer = self.script.pop(0) if self.script else default
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def power_on(self):
        self.log.append("on")
        return self._next(self.atr)

    def reset(self):
        self.log.append("reset")
        return self._next(self.atr)

    def power_off(self):
        self.log.append("off")
        if self.script:
            self._next(None)

    def transmit(self, c_apdu):
        self.log.append(c_apdu)
        return self._next(b"\x90\x00")


class Answer:
    """What became of a request; ``status`` is None while it pends."""

    def __init__(self):
        self.status = None
        self.data = b""
        self.irp = None

    def __call__(self, status, data):
        assert self.status is None, "answered twice"
        self.status, self.data = status, data


class Rig:
    """One virtual reader, plugged in and opened."""

    def __init__(
        self, profile=CONTACT, *, driver=None, filters=(), lower_filters=(), traced=True, unit=0,
        **settings,
    ):  # fmt: skip
        self.events = []
        emitter = Emitter()
        if traced:
            emitter.subscribe(self.events.append)
        self.clock = ManualClock()
        self.io = IoManager(self.clock, emitter)
        self.pnp = PnpManager(self.io)
        self.driver = self.io.load_driver("vreader", (driver or VirtualReader()).DriverEntry)
        self.hardware = SlotHardware(emitter, "reader0")
        self.pdo = self.pnp.add_device(
            "reader0",
            self.driver,
            properties={
                "reader": ReaderSettings(profile=profile, **settings),
                "hardware": self.hardware,
                "unit": unit,
            },
            filters=filters,
            lower_filters=lower_filters,
        )
        fdo = self.driver.devices[0]
        self.extension = fdo.DeviceExtension
        self.ext = self.extension.SmartcardExtension
        self.slot = self.ext.ReaderExtension
        self.handle = self.open()

    def open(self):
        status, handle = self.io.create_file(LINK)
        assert status is NTSTATUS.SUCCESS
        return handle

    @property
    def state(self):
        return self.ext.ReaderCapabilities.CurrentState

    def held(self):
        """Take the queued work: the caller says when the card answers."""
        return self.io.take_work() or []

    def work(self):
        while items := self.io.take_work():
            for item in items:
                item.finish(item.run())

    def send(self, code, data=b"", out=0, handle=None):
        answer = Answer()
        answer.irp = self.io.device_io_control(handle or self.handle, code, data, out, answer)
        return answer

    def ioctl(self, code, data=b"", out=0):
        answer = self.send(code, data, out)
        self.work()
        assert answer.status is not None, "pending"
        return answer.status, answer.data

    def cancel(self, answer):
        return IoCancelIrp(answer.irp)

    def insert(self, card=None):
        card = ScriptedCard() if card is None else card
        assert self.hardware.insert(card)
        self.work()
        return card

    def remove(self):
        assert self.hardware.remove()

    def power(self, minor=1, out=33):
        return self.ioctl(Ioctl.SMARTCARD_POWER, u32(minor), out)

    def protocol(self, mask=3):
        return self.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, u32(mask), 4)

    def ready(self, card=None):
        """Insert a card and bring it to SPECIFIC."""
        card = self.insert(card)
        assert self.power()[0] is NTSTATUS.SUCCESS
        assert self.protocol()[0] is NTSTATUS.SUCCESS
        card.log.clear()
        self.events.clear()
        return card

    def start_apdu(self, command=b"\0\xca\0\0", out=65546):
        return self.send(Ioctl.SMARTCARD_TRANSMIT, HEADER + command, out)

    def apdu(self, command=b"\0\xca\0\0", out=65546):
        answer = self.start_apdu(command, out)
        self.work()
        assert answer.status is not None, "pending"
        return answer.status, answer.data[8:]

    def start_power(self, minor=1):
        return self.send(Ioctl.SMARTCARD_POWER, u32(minor), 33)

    @property
    def apdus(self):
        return [event for event in self.events if isinstance(event, ApduEvent)]

    @property
    def faults(self):
        return [event for event in self.events if isinstance(event, CardFaultEvent)]

    @property
    def changes(self):
        return [event.change for event in self.events if isinstance(event, CardEvent)]


@pytest.fixture(scope="session")
def make_rig():
    return Rig


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture(scope="session")
def make_card():
    return ScriptedCard


class Below:
    """A driver between bus and reader: it keeps the next PnP or power request if told to."""

    def __init__(self):
        self.keeps = False
        self.kept = None

    def entry(self, driver):
        driver.AddDevice = self.add_device
        driver.MajorFunction[:] = [self.dispatch] * len(driver.MajorFunction)
        return NTSTATUS.SUCCESS

    def add_device(self, driver, pdo):
        device = driver.io.IoCreateDevice(driver, "below", None)
        self.lower = driver.io.IoAttachDeviceToDeviceStack(device, pdo)
        device.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    def dispatch(self, device, irp):
        location = irp.stack[irp.current]
        if self.keeps and location.MajorFunction in (IRP_MJ.PNP, IRP_MJ.POWER):
            self.keeps = False
            self.kept = (device, irp)
            IoMarkIrpPending(irp)
            return NTSTATUS.PENDING
        return self.pass_on(device, irp)

    def pass_on(self, device, irp):
        location = irp.stack[irp.current]
        removes = (location.MajorFunction, location.MinorFunction) == (IRP_MJ.PNP, 2)
        # Its own location is marked pending once it has kept a request: the bus gets another.
        IoCopyCurrentIrpStackLocationToNext(irp)
        status = IoCallDriver(self.lower, irp)
        if removes:
            device.DriverObject.io.IoDetachDevice(self.lower)
            device.DriverObject.io.IoDeleteDevice(device)
        return status

    def let_go(self):
        (device, irp), self.kept = self.kept, None
        self.pass_on(device, irp)

    @property
    def kept_request(self):
        """Major and minor function of what is kept."""
        _device, irp = self.kept
        location = irp.stack[irp.current]
        return location.MajorFunction, location.MinorFunction


@pytest.fixture(scope="session")
def make_below():
    return Below


def script(*harms, pps=()):
    """Disturb the first blocks, and what crosses in a PPS, as told, then nothing."""
    left = {True: list(pps), False: list(harms)}

    def disturb(to_card, raw):
        harms = left[raw[0] == 0xFF]
        return harms.pop(0) if harms else ""

    return disturb


@pytest.fixture
def make_linked(make_rig):
    def make(kind, *harms, pps_harms=(), timeout_s=None, describe=None, unmask=False, **settings):
        options = {} if describe is None else {"describe": describe}
        if harms or pps_harms:
            settings["disturb"] = script(*harms, pps=pps_harms)
        link = LinkSettings(kind, **settings)
        return make_rig(link=link, timeout_s=timeout_s, unmask=unmask, **options)

    return make


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


FF_8 = "FF" * 8


def pin_verify(
    template="0020008008" + FF_8, *, condition=2, times="1E05", limits="0806", block="08"
):
    """A PIN_VERIFY structure."""
    data = bytes.fromhex(template)
    head = f"{times} 82 {block} 00 {limits} {condition:02X} FF 0904 00 000000"
    return bytes.fromhex(head) + u32(len(data)) + data


def pin_modify(flags=3, *, block="08", limits="0806"):
    """A PIN_MODIFY structure."""
    data = bytes.fromhex("0024008010" + FF_8 + FF_8)
    head = f"0000 82 {block} 00 00 08 {limits} {flags:02X} 02 03 0904 000102 000000"
    return bytes.fromhex(head) + u32(len(data)) + data


@pytest.fixture
def pinpad():
    """Make a reader with a pinpad, a person who types, and a card ready for APDUs."""

    def make(*entries, ready=True, **settings):
        person = Person(*entries)
        rig = Rig(pinpad=person, **settings)
        rig.person, rig.press = person, rig.slot.pinpad.press
        rig.verify, rig.modify = pin_verify, pin_modify
        rig.card = rig.ready() if ready else None
        return rig

    return make
