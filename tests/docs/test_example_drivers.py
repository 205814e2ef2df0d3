# SPDX-License-Identifier: Apache-2.0
"""The example drivers: short, certified, and doing what their page says."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from vreader.certify import certify
from vreader.certify.cards import TestCard
from vreader.host import Host
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

DRIVERS = Path(__file__).parents[2] / "docs" / "examples" / "drivers"
CLASSES = {"contact": "ContactReader", "nfc": "NfcReader", "motorised": "MotorisedReader"}
SUCCESS = (NTSTATUS.SUCCESS, b"")


@pytest.fixture
def load(monkeypatch):
    """Import an example as a program beside it would; forget it afterwards."""
    monkeypatch.syspath_prepend(str(DRIVERS))
    yield import_module
    for name in CLASSES:
        sys.modules.pop(name, None)


@pytest.fixture
def desk(load):
    """Plug in a reader with an example's driver; return module, reader and open device."""
    with Host(profile=None) as host:

        def make(name):
            module = load(name)
            reader = host.add_reader(driver=getattr(module, CLASSES[name]))
            return module, reader, host.open_device(reader.link)

        yield make


def attribute(device, tag):
    status, value = device.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, tag.to_bytes(4, "little"), 64)
    assert status is NTSTATUS.SUCCESS
    return value


@pytest.mark.wdk("callback.own-functions")
@pytest.mark.parametrize("name", CLASSES)
def test_it_passes_certification(load, name):
    certificate = certify(getattr(load(name), CLASSES[name]))
    assert certificate.failed == []


def test_the_directory_holds_these_and_each_is_short():
    assert {path.stem for path in DRIVERS.glob("*.py")} == set(CLASSES)
    for path in DRIVERS.glob("*.py"):
        assert len(path.read_text().splitlines()) < 200


def test_two_examples_on_one_computer(load):
    """Each is loaded as itself."""
    with Host(profile=None) as host:
        readers = [host.add_reader(driver=getattr(load(n), c)) for n, c in CLASSES.items()]
        assert [reader.name for reader in readers] == [
            "Example Contact Reader",
            "Example NFC Reader",
            "Example Motorised Reader",
        ]


@pytest.mark.parametrize(("mask", "chosen"), [(0x80000000, 1), (0, 2), (0x80000003, 2), (1, 1)])
def test_the_contact_reader_chooses_a_protocol(desk, mask, chosen):
    """Of a card that offers T=0, then T=1."""
    _contact, reader, device = desk("contact")
    reader.insert(TestCard(bytes.fromhex("3B80800101")))
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
    reply = device.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, mask.to_bytes(4, "little"), 4)
    assert reply == (NTSTATUS.SUCCESS, chosen.to_bytes(4, "little"))


@pytest.mark.wdk("ioctl.nfc.radio-off", "callback.ioctl-vendor")
def test_the_radio(desk):
    nfc, reader, device = desk("nfc")
    card = TestCard()
    reader.insert(card)
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
    answers = []
    device.start(Ioctl.SMARTCARD_IS_ABSENT, b"", 0, lambda *answer: answers.append(answer))
    assert device.ioctl(nfc.IOCTL_SET_RADIO, nfc.OFF) == SUCCESS
    assert answers == [(NTSTATUS.DEVICE_POWERED_OFF, b"")]
    assert not card.powered
    assert reader.state is CardState.ABSENT
    for code in (Ioctl.SMARTCARD_GET_STATE, Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_POWER):
        assert device.ioctl(code, b"", 33)[0] is NTSTATUS.DEVICE_POWERED_OFF
    reader.remove()
    reader.insert(card)
    reader.sleep()
    reader.wake()
    assert reader.state is CardState.ABSENT
    assert device.ioctl(nfc.IOCTL_SET_RADIO, nfc.ON) == SUCCESS
    assert reader.state is CardState.SWALLOWED
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
    assert reader.state is CardState.SPECIFIC


def test_the_radio_refuses_nonsense(desk):
    nfc, _reader, device = desk("nfc")
    for value in (b"", b"\2\0\0\0", bytes(5)):
        assert device.ioctl(nfc.IOCTL_SET_RADIO, value)[0] is NTSTATUS.INVALID_PARAMETER
    unknown = nfc.IOCTL_SET_RADIO + 4
    assert device.ioctl(unknown, nfc.OFF)[0] is NTSTATUS.INVALID_DEVICE_REQUEST
    assert device.ioctl(nfc.IOCTL_SET_RADIO, nfc.ON) == SUCCESS  # it is on


@pytest.mark.wdk(
    "callback.card-confiscate", "ioctl.confiscate", "attribute.icc-presence", "ioctl.eject.success"
)
def test_the_motor_moves_a_card_and_keeps_another(desk):
    _motorised, reader, device = desk("motorised")
    assert attribute(device, Attr.CHARACTERISTICS) == b"\7\0\0\0"
    card = TestCard()
    reader.insert(card)
    assert reader.state is CardState.PRESENT
    assert attribute(device, Attr.ICC_PRESENCE) == b"\1"
    assert device.ioctl(Ioctl.SMARTCARD_SWALLOW) == SUCCESS
    assert (reader.state, attribute(device, Attr.ICC_PRESENCE)) == (CardState.SWALLOWED, b"\2")
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
    assert device.ioctl(Ioctl.SMARTCARD_EJECT) == SUCCESS
    assert (reader.state, card.powered) == (CardState.PRESENT, False)
    # Asked for its ATR in the slot's mouth, a card is taken in first.
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.SUCCESS
    answers = []
    device.start(Ioctl.SMARTCARD_IS_ABSENT, b"", 0, lambda *answer: answers.append(answer))
    assert device.ioctl(Ioctl.SMARTCARD_CONFISCATE) == SUCCESS
    assert answers == [SUCCESS]
    assert (reader.state, card.powered, reader.card) == (CardState.ABSENT, False, None)
    assert attribute(device, Attr.ICC_PRESENCE) == b"\4"
    reader.insert(TestCard())
    assert attribute(device, Attr.ICC_PRESENCE) == b"\1"


def test_the_thread_reports_a_card_that_leaves_by_itself_or_is_broken(desk, caplog):
    module, reader, device = desk("contact")

    class Leaves(TestCard):
        def power_on(self):
            raise module.CardGone

    reader.insert(Leaves())
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33) == (NTSTATUS.NO_MEDIA, b"")
    assert reader.card is None

    class Broken(TestCard):
        def power_on(self):
            raise ZeroDivisionError

    reader.insert(Broken())
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)[0] is NTSTATUS.IO_DEVICE_ERROR
    assert "ZeroDivisionError" in caplog.text
