# SPDX-License-Identifier: Apache-2.0
"""The skeleton every reader driver shares: PnP states, waiting for D0, a driver of one's own."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER, ReaderDriver
from vreader.reader.hardware import SlotHardware
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.library import set_state
from vreader.smclib.profile import CONTACT
from vreader.smclib.states import CardState, ReaderEvent
from vreader.wdm import NTSTATUS, BugCheck, IoManager, PnpManager
from vreader.wdm.lifecycle import PnpState

LINK = r"\\.\SCReader0"
IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
STATE = (Ioctl.SMARTCARD_GET_STATE, b"", 4)


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


@pytest.fixture
def sleeper(make_rig):
    rig = make_rig(CONTACT._replace(asleep_waits=True))
    rig.insert()
    rig.pnp.set_power(rig.pdo, 3)
    rig.work()
    return rig


@pytest.mark.wdk("power.not-d0")
def test_a_request_for_the_card_waits_until_the_reader_wakes(sleeper):
    waiting = sleeper.start_power()
    assert waiting.status is None
    assert sleeper.ioctl(*STATE)[0] is NTSTATUS.SUCCESS  # the library needs no power to answer
    sleeper.pnp.set_power(sleeper.pdo, 0)
    sleeper.work()
    assert (waiting.status, waiting.data) == (NTSTATUS.SUCCESS, bytes.fromhex("3B80800101"))


def test_what_waits_for_d0_meets_the_state_it_finds_then(sleeper):
    waiting = sleeper.start_power()
    sleeper.remove()
    sleeper.pnp.set_power(sleeper.pdo, 0)
    assert waiting.status is NTSTATUS.NO_MEDIA


def test_what_waits_for_d0_can_be_cancelled_and_closed(sleeper):
    one, other = sleeper.start_power(), sleeper.start_power()
    assert sleeper.cancel(one)
    assert (one.status, other.status) == (NTSTATUS.CANCELLED, None)
    sleeper.io.close_handle(sleeper.handle)
    assert other.status is NTSTATUS.CANCELLED


def test_a_sleeping_reader_pulled_out_lets_nobody_wait(sleeper):
    waiting = sleeper.start_power()
    sleeper.pnp.surprise_removal(sleeper.pdo)
    assert waiting.status is NTSTATUS.DEVICE_REMOVED


# ------------------------------------------------------------------ a vanished card


@pytest.mark.wdk("transition.reset.vanished")
@pytest.mark.parametrize("status", [NTSTATUS.NO_MEDIA, NTSTATUS.SUCCESS])
def test_a_card_that_leaves_during_its_reset(make_rig, status):
    rig = make_rig(CONTACT._replace(vanished_reset=status))
    rig.insert()
    power = rig.start_power()
    rig.remove()
    assert (power.status, power.data) == (status, b"")
    assert rig.state is CardState.ABSENT


# ------------------------------------------------------------------ a driver of one's own


class Minimal(ReaderDriver):
    """A driver that says who it is and lets a card be powered, nothing else."""

    service = "minimal"

    def Initialize(self, ext, pdo):
        ext.VendorAttr.VendorName = b"Acme"
        return NTSTATUS.SUCCESS

    def RDF_CARD_POWER(self, ext):
        return set_state(ext, ReaderEvent.RESET_NEGOTIABLE)


class Desk:
    """A computer with one reader that ``driver`` drives."""

    def __init__(self, driver):
        self.io = IoManager(ManualClock(), Emitter())
        self.pnp = PnpManager(self.io)
        self.hardware = SlotHardware(self.io.events, "reader0")
        self.driver = self.io.load_driver(driver.service, driver.DriverEntry)
        self.pdo = self.pnp.add_device(
            "reader0", self.driver, properties={"hardware": self.hardware, "unit": 4}
        )
        self.handle = self.io.create_file(LINK)[1]

    def send(self, code, data=b"", out=0):
        answers = []
        self.io.device_io_control(
            self.handle, code, data, out, lambda status, output: answers.append((status, output))
        )
        return answers

    def ioctl(self, code, data=b"", out=0):
        return self.send(code, data, out)[0]


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
