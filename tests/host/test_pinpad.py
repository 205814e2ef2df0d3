# SPDX-License-Identifier: Apache-2.0
"""A pinpad on a host: typed on by a script, or by a person who takes their time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from vreader.clock import ManualClock
from vreader.errors import UsageError, VreaderError
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.reader.finger import Key, PinQueue
from vreader.smclib.ioctl import Ioctl, Protocol
from vreader.wdm import NTSTATUS
from vreader.winscard.codes import SCARD, ScardError, ShareMode

FEATURES = 0x42000D48
VERIFY = bytes.fromhex("1E1E 82 08 00 0806 02 FF 0904 00 000000 0D000000 0020008008" + "FF" * 8)
COMMAND = bytes.fromhex("0020008008313233343536FFFF")


class Card:
    def __init__(self):
        self.log = []

    def power_on(self):
        return bytes.fromhex("3B80800101")

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        self.log.append(c_apdu)
        return b"\x90\x00"


class Patient:
    """A finger that leaves every prompt to ``HostReader.press``, and tells when there is one."""

    def __init__(self):
        self.asked = None

    def __call__(self, prompt):
        if self.asked is not None:
            self.asked()


@pytest.fixture
def card():
    return Card()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def desk(card, clock):
    """Make a reader whose pinpad has a finger, and a program connected to its card."""
    hosts = []

    def make(finger):
        host = Host(clock=clock)
        hosts.append(host)
        reader = host.add_reader("Pinpad 00 00", pinpad=finger)
        reader.insert(card)
        api = ScardApi(host)
        context = api.SCardEstablishContext()
        handle, _ = api.SCardConnect(context, "Pinpad 00 00", ShareMode.SHARED, Protocol.T1)
        return reader, api, handle

    yield make
    for host in hosts:
        host.close()


def test_direct_device_access(card, clock):
    with Host(profile=None, clock=clock) as host:
        reader = host.add_reader(pinpad=PinQueue(["123456", Key.CANCEL]))
        reader.insert(card)
        with host.open_device(reader.link) as device:
            assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
            assert device.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, b"\3\0\0\0", 4)[1]
            assert device.ioctl(0x00312018, VERIFY, 2) == (NTSTATUS.SUCCESS, b"\x90\x00")
            assert device.ioctl(0x00312018, VERIFY, 2) == (NTSTATUS.SUCCESS, b"\x64\x01")
    assert card.log == [COMMAND]


def verify_code(api, handle):
    """Ask as a program does: the feature list names the code."""
    answer = api.SCardControl(handle, FEATURES, b"", 256)
    codes = {answer[at]: answer[at + 2 : at + 6] for at in range(0, len(answer), 6)}
    return int.from_bytes(codes[6], "big")


def test_scardcontrol(desk, card):
    _, api, handle = desk(PinQueue(["123456"]))
    assert api.SCardControl(handle, verify_code(api, handle), VERIFY, 2) == b"\x90\x00"
    assert card.log == [COMMAND]


@pytest.mark.wdk("pinpad.pends")
def test_other_programs_wait_for_the_person(desk, card):
    finger = Patient()
    reader, api, handle = desk(finger)
    code = verify_code(api, handle)
    other, _ = api.SCardConnect(
        api.SCardEstablishContext(), "Pinpad 00 00", ShareMode.SHARED, Protocol.T1
    )
    there = Event()
    finger.asked = there.set
    with ThreadPoolExecutor(2) as pool:
        prompted = pool.submit(api.SCardControl, handle, code, VERIFY, 2)
        assert there.wait(20)
        waiting = pool.submit(api.SCardTransmit, other, Protocol.T1, b"\0\xca\0\0")
        assert not prompted.done()
        reader.press("123456")
        assert prompted.result(20) == b"\x90\x00"
        assert waiting.result(20) == b"\x90\x00"
    assert card.log == [COMMAND, b"\0\xca\0\0"]


@pytest.mark.wdk("pinpad.card-removed")
def test_the_card_is_taken_out_meanwhile(desk):
    class Thief:
        def __call__(self, prompt):
            reader.remove()
            return "123456"

    reader, api, handle = desk(Thief())
    with pytest.raises(ScardError) as refusal:
        api.SCardControl(handle, verify_code(api, handle), VERIFY, 2)
    assert refusal.value.code is SCARD.E_NO_SMARTCARD


@pytest.mark.wdk("pinpad.timed-out")
def test_the_person_has_gone(desk, clock):
    finger = Patient()
    _, api, handle = desk(finger)
    finger.asked = lambda: clock.advance(30)
    assert api.SCardControl(handle, verify_code(api, handle), VERIFY, 2) == b"\x64\x00"


def test_what_is_no_structure(desk):
    _, api, handle = desk(PinQueue(["123456"]))
    code = verify_code(api, handle)
    with pytest.raises(ScardError):
        api.SCardControl(handle, code, VERIFY[:-1], 2)
    assert api.SCardControl(handle, code, VERIFY, 2) == b"\x90\x00"


def test_keys_nobody_asked_for(desk):
    reader, _, _ = desk(Patient())
    with pytest.raises(VreaderError) as refusal:
        reader.press("123456")
    assert "123456" not in str(refusal.value) + refusal.value.hint


def test_a_reader_without_keys(clock):
    with Host(clock=clock) as host, pytest.raises(UsageError):
        host.add_reader().press("123456")
