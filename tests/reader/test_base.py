# SPDX-License-Identifier: Apache-2.0
"""The skeleton every reader driver shares: PnP states, waiting for D0, a driver of one's own."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER, ReaderDriver
from vreader.reader.driver import VirtualReader
from vreader.reader.hardware import SlotHardware
from vreader.reader.scfilter import SmartCardFilter
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.library import set_state
from vreader.smclib.profile import CONTACT
from vreader.smclib.states import CardState, ReaderEvent
from vreader.wdm import (
    IRP_MJ,
    NTSTATUS,
    BugCheck,
    IoCallDriver,
    IoCompleteRequest,
    IoCopyCurrentIrpStackLocationToNext,
    IoManager,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    IoSetCompletionRoutine,
    PnpManager,
)
from vreader.wdm.irp import complete
from vreader.wdm.lifecycle import PnpState

LINK = r"\\.\SCReader0"
IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
STATE = (Ioctl.SMARTCARD_GET_STATE, b"", 4)
COLD = (Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)


# ------------------------------------------------------------------ stopped and started again


@pytest.mark.wdk("pnp.stop", "pnp.start")
def test_a_stopped_reader_serves_nobody_until_it_is_started_again(rig):
    rig.ready()
    tracking = rig.send(IS_ABSENT)
    assert rig.pnp.query_stop(rig.pdo)
    assert rig.ioctl(*STATE)[0] is NTSTATUS.SUCCESS  # only asked so far
    rig.pnp.stop(rig.pdo)
    assert rig.ioctl(*STATE) == (NTSTATUS.DEVICE_NOT_READY, b"")
    assert rig.apdu()[0] is NTSTATUS.DEVICE_NOT_READY
    assert tracking.status is None
    rig.pnp.start(rig.pdo)
    assert tracking.status is NTSTATUS.SUCCESS  # the card may have been swapped
    assert rig.state is CardState.SWALLOWED
    assert rig.power()[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("pnp.query-stop")
def test_a_card_at_work_vetoes_a_stop(rig):
    rig.ready()
    rig.start_apdu()
    assert not rig.pnp.query_stop(rig.pdo)
    assert rig.pdo.pnp_state is PnpState.STARTED
    rig.work()
    assert rig.pnp.query_stop(rig.pdo)


@pytest.mark.wdk("pnp.cancel-stop")
def test_a_stop_taken_back_leaves_the_card_as_it_was(rig):
    rig.ready()
    rig.pnp.query_stop(rig.pdo)
    rig.pnp.cancel_stop(rig.pdo)
    assert rig.state is CardState.SPECIFIC
    assert rig.apdu()[0] is NTSTATUS.SUCCESS


def test_the_status_of_a_stopped_reader_is_the_profiles_choice(make_rig):
    rig = make_rig(CONTACT._replace(stopped_status=NTSTATUS.DEVICE_BUSY))
    rig.pnp.query_stop(rig.pdo)
    rig.pnp.stop(rig.pdo)
    assert rig.ioctl(*STATE)[0] is NTSTATUS.DEVICE_BUSY


@pytest.mark.wdk("pnp.query-remove", "pnp.cancel-remove")
def test_a_reader_about_to_be_removed_takes_no_new_opener(rig):
    rig.io.close_handle(rig.handle)
    assert rig.pnp.query_remove(rig.pdo)
    assert rig.io.create_file(LINK) == (NTSTATUS.DELETE_PENDING, None)
    rig.pnp.cancel_remove(rig.pdo)
    rig.handle = rig.open()
    assert rig.ioctl(*STATE)[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("pnp.remove.without-surprise")
def test_remove_alone_does_all_that_surprise_removal_does(rig):
    heard = []
    rig.io.register_interface_notification(
        GUID_DEVINTERFACE_SMARTCARD_READER, lambda link, arrived: heard.append(arrived)
    )
    rig.io.close_handle(rig.handle)
    rig.pnp.remove(rig.pdo)
    assert heard == [True, False]
    assert rig.driver.devices == []
    assert rig.io.create_file(LINK) == (NTSTATUS.OBJECT_NAME_NOT_FOUND, None)


# ------------------------------------------------------------------ sleep


@pytest.mark.wdk("power.set-system", "power.set-device", "power.sleep-powers-down")
@pytest.mark.parametrize("system", [1, 2, 3, 4])
def test_the_whole_computer_sleeps_and_wakes(rig, system):
    card = rig.ready()
    rig.pnp.set_system_power(rig.pdo, system)
    rig.work()
    assert card.log == ["off"]
    assert rig.state is CardState.SWALLOWED
    rig.pnp.set_system_power(rig.pdo, 0)
    assert rig.power()[0] is NTSTATUS.SUCCESS


def test_a_stopped_reader_that_is_given_power_sleeps_until_it_is_started(rig):
    rig.insert()
    tracking = rig.send(IS_ABSENT)
    rig.pnp.query_stop(rig.pdo)
    rig.pnp.stop(rig.pdo)
    rig.pnp.set_power(rig.pdo, 3)
    rig.pnp.set_power(rig.pdo, 0)
    rig.remove()
    assert tracking.status is None
    rig.pnp.start(rig.pdo)
    assert tracking.status is NTSTATUS.SUCCESS


@pytest.mark.wdk("power.set-device")
def test_a_reader_sent_to_sleep_while_it_wakes_sleeps_in_the_end(make_rig, make_below):
    below = make_below()
    rig = make_rig(lower_filters=(below.entry,))
    rig.pnp.set_power(rig.pdo, 3)
    below.keeps = True
    rig.pnp.set_power(rig.pdo, 0)
    rig.pnp.set_power(rig.pdo, 3)
    below.let_go()
    assert not rig.ext.OsData.InD0


@pytest.mark.wdk("lock.every-request", "lock.release-and-wait")
def test_a_reader_that_is_waking_is_not_deleted_before_it_is_awake(make_rig, make_below):
    below, gone = make_below(), []
    rig = make_rig(lower_filters=(below.entry,))
    rig.pnp.set_power(rig.pdo, 3)
    below.keeps = True
    rig.pnp.set_power(rig.pdo, 0)
    rig.io.close_handle(rig.handle)
    rig.pnp.surprise_removal(rig.pdo)
    rig.pnp.remove(rig.pdo, lambda: gone.append(True))
    assert gone == []
    below.let_go()
    assert gone == [True]
    assert rig.driver.devices == []


# ------------------------------------------------------------------ who hears what when


@pytest.mark.wdk("pnp.start")
def test_who_hears_of_a_new_reader_finds_it_awake(make_desk):
    desk = make_desk(Minimal(), open_now=False)
    desk.hardware.insert(object())
    found = []

    def arrived(link, is_new):
        desk.handle = desk.io.create_file(link)[1]
        found.append((desk.ioctl(*STATE), desk.ioctl(*COLD)[0]))

    desk.io.register_interface_notification(GUID_DEVINTERFACE_SMARTCARD_READER, arrived)
    desk.plug_in()
    assert found == [((NTSTATUS.SUCCESS, b"\3\0\0\0"), NTSTATUS.SUCCESS)]


def test_who_hears_of_one_cancelled_request_may_end_the_other(rig):
    rig.ready()
    apdu = rig.start_apdu()
    told = []

    def tracking(status, output):
        told.append(status)
        rig.cancel(apdu)

    rig.io.device_io_control(rig.handle, IS_ABSENT, b"", 0, tracking)
    rig.io.close_handle(rig.handle)
    assert told == [NTSTATUS.CANCELLED]
    assert apdu.status is NTSTATUS.CANCELLED


@pytest.mark.wdk("pnp.surprise.outstanding")
def test_a_request_without_a_card_does_not_outlive_its_reader(make_desk):
    class Waits(Minimal):
        def RDF_IOCTL_VENDOR(self, ext):
            irp = ext.OsData.CurrentIrp
            IoSetCancelRoutine(irp, lambda device, irp: complete(irp, NTSTATUS.CANCELLED))
            IoMarkIrpPending(irp)
            return NTSTATUS.PENDING

    desk = make_desk(Waits())
    answer = desk.send(0x00312000)
    desk.pnp.surprise_removal(desk.pdo)
    assert answer == [(NTSTATUS.CANCELLED, b"")]


class Keeper(SmartCardFilter):
    """A filter that keeps every request of a program on its way up."""

    kept = None

    def Dispatch(self, device, irp):
        if irp.stack[irp.current].MajorFunction != IRP_MJ.DEVICE_CONTROL:
            return super().Dispatch(device, irp)
        IoCopyCurrentIrpStackLocationToNext(irp)
        IoSetCompletionRoutine(irp, self.keep, None)
        IoMarkIrpPending(irp)
        IoCallDriver(device.AttachedTo, irp)
        return NTSTATUS.PENDING

    def keep(self, device, irp, context):
        self.kept = irp
        return NTSTATUS.MORE_PROCESSING_REQUIRED


@pytest.mark.parametrize("library_completes", [True, False])
def test_a_request_that_a_filter_keeps_is_completed_by_the_filter_alone(
    make_rig, library_completes
):
    upper = Keeper()
    profile = CONTACT._replace(library_completes=library_completes)
    rig = make_rig(profile, filters=(upper.DriverEntry,))
    answer = rig.send(Ioctl.SMARTCARD_POWER, b"", 33)
    assert answer.status is None
    IoCompleteRequest(upper.kept)
    assert answer.status is NTSTATUS.INVALID_PARAMETER


# ------------------------------------------------------------------ a vanished card


@pytest.mark.wdk("transition.reset.vanished")
@pytest.mark.parametrize("status", [NTSTATUS.NO_MEDIA, NTSTATUS.SUCCESS])
def test_a_card_that_leaves_during_its_reset(make_rig, status):
    rig = make_rig(CONTACT._replace(vanished_reset=status))
    for minor, expected in ((1, status), (0, NTSTATUS.NO_MEDIA)):
        rig.insert()
        power = rig.start_power(minor)
        rig.remove()
        assert (power.status, power.data) == (expected, b"")
        assert rig.state is CardState.ABSENT
        rig.work()


# ------------------------------------------------------------------ a driver of one's own


class Minimal(ReaderDriver):
    """A driver that says who it is and lets a card be powered, nothing else."""

    def Initialize(self, ext, pdo):
        ext.VendorAttr.VendorName = b"Acme"
        return NTSTATUS.SUCCESS

    def RDF_CARD_POWER(self, ext):
        return set_state(ext, ReaderEvent.RESET_NEGOTIABLE)


class Desk:
    """A computer with one reader that ``driver`` drives."""

    def __init__(self, driver, *, open_now=True):
        self.io = IoManager(ManualClock(), Emitter())
        self.pnp = PnpManager(self.io)
        self.hardware = SlotHardware(self.io.events, "reader0")
        self.driver = self.io.load_driver(driver.service, driver.DriverEntry)
        if open_now:
            self.plug_in()
            self.handle = self.io.create_file(LINK)[1]

    def plug_in(self):
        self.pdo = self.pnp.add_device(
            "reader0", self.driver, properties={"hardware": self.hardware, "unit": 4}
        )

    def send(self, code, data=b"", out=0):
        answers = []
        self.io.device_io_control(
            self.handle, code, data, out, lambda status, output: answers.append((status, output))
        )
        return answers

    def ioctl(self, code, data=b"", out=0):
        return self.send(code, data, out)[0]


@pytest.fixture
def make_desk():
    return Desk


@pytest.mark.wdk("callback.own-functions", "callback.null", "name.kernel-name")
def test_callbacks_are_the_methods_a_driver_has():
    desk = Desk(Minimal())
    attribute = Ioctl.SMARTCARD_GET_ATTRIBUTE
    assert desk.ioctl(attribute, Attr.VENDOR_NAME.to_bytes(4, "little"), 32)[1] == b"Acme"
    assert desk.ioctl(attribute, Attr.DEVICE_UNIT.to_bytes(4, "little"), 4)[1] == b"\4\0\0\0"
    assert desk.pdo.AttachedDevice.name == r"\Device\minimal4"
    assert desk.ioctl(Ioctl.SMARTCARD_TRANSMIT)[0] is NTSTATUS.NOT_SUPPORTED
    desk.hardware.insert(object())
    assert desk.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
    assert desk.ioctl(*STATE)[1] == b"\5\0\0\0"


def test_each_class_is_a_driver_of_its_own():
    class Better(VirtualReader):
        pass

    class Named(Better):
        service = "acme"
        inf = "acme.inf"

    class Heir(Named):
        pass

    found = [(driver.service, driver.inf) for driver in (Minimal, Better, Named, Heir)]
    assert found == [("minimal", None), ("better", None), ("acme", "acme.inf"), ("heir", None)]
    assert (VirtualReader.service, ReaderDriver.service) == ("vreader", "reader")


def test_a_driver_that_declines_its_device_is_undone():
    class Picky(Minimal):
        def Initialize(self, ext, pdo):
            return NTSTATUS.NO_SUCH_DEVICE

    with pytest.raises(BugCheck, match="NO_SUCH_DEVICE"):
        Desk(Picky())


@pytest.mark.wdk("tracking.sleep-card-gone", "power.wake-completes")
def test_the_skeleton_looks_at_the_slot_when_it_wakes():
    desk = Desk(Minimal())
    desk.hardware.insert(object())
    tracking = desk.send(IS_ABSENT)
    desk.pnp.set_power(desk.pdo, 3)
    desk.hardware.connect_interrupt(None)  # nobody hears a switch without power
    desk.hardware.remove()
    assert tracking == []
    desk.pnp.set_power(desk.pdo, 0)
    assert tracking == [(NTSTATUS.SUCCESS, b"")]
