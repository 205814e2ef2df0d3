# SPDX-License-Identifier: Apache-2.0
"""What is in the System event log, in which words, and what never is."""

import pytest

from vreader.events import Emitter
from vreader.host.eventlog import MAX_ENTRIES, EventLog
from vreader.host.scard import ScardApi
from vreader.registry import Registry, Value
from vreader.smclib.events import DriverLogEvent
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.library import SmartcardLogError
from vreader.winscard.codes import ScardError
from vreader.winscard.events import IoctlRejectedEvent
from vreader.winscard.profile import WINDOWS

SOURCE = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\System\acme"


class Book:
    """A log without a host."""

    def __init__(self):
        self.registry = Registry()
        self.events = Emitter()
        self.log = EventLog(self.events, self.registry, lambda device: f"<{device}>", lambda: 1e9)

    def write(self, event):
        self.events.emit(event)
        return self.log.entries()[-1]

    def error(self, code=0xC0100001, text="COM1", dump=0x0102):
        return self.write(DriverLogEvent("reader0", "-", text, code, dump, "acme"))


@pytest.fixture
def book():
    return Book()


@pytest.mark.wdk("event-log.message-ids", "event-log.source-key", "event-log.log-error")
def test_a_driver_s_message_comes_from_the_file_the_registry_names(book):
    files = r"%SystemRoot%\System32\IoLogMsg.dll;%SystemRoot%\System32\Drivers\Acme.SYS"
    book.registry.create(SOURCE).set("EventMessageFile", Value.expand_sz(files))
    book.log.message_files["acme.sys"] = {0xC0100001: "%1: serial port %2 is 100% busy, %3."}
    entry = book.error(text="%1")
    assert entry.text == "reader0: serial port %1 is 100% busy, %3."
    assert entry.strings == ("reader0", "%1")
    assert (entry.source, entry.level, entry.event_id, entry.code) == (
        "acme", "Error", 1, 0xC0100001)  # fmt: skip
    assert entry.data == b"\x02\x01\0\0"


def test_a_message_without_a_text_says_so(book):
    assert book.error().text == (
        "no message file is registered for event 0xC0100001 of source acme: reader0, COM1"
    )
    book.registry.create(SOURCE).set("EventMessageFile", Value.sz(r"C:\acme.sys"))
    assert book.error(text="").text == (
        r"C:\acme.sys has no text for event 0xC0100001 of source acme: reader0"
    )
    book.registry.create(SOURCE).set("EventMessageFile", Value.dword(1))
    assert book.error().text.startswith("no message file")


@pytest.mark.parametrize(
    ("code", "level"),
    [(0xC0000001, "Error"), (0x80100007, "Warning"), (0x40000001, "Information"),
     (1, "Information")],
)  # fmt: skip
def test_the_severity_of_a_code_is_the_level(book, code, level):
    assert book.error(code).level == level


@pytest.mark.wdk("event-log.rm-610")
@pytest.mark.parametrize(
    ("code", "win32", "header", "text"),
    [
        (Ioctl.SMARTCARD_TRANSMIT, 31, b"\0\xc0\0\0",
         "TRANSMIT: A device attached to the system is not functioning.  If this|00 c0 00 00"),
        (Ioctl.SMARTCARD_GET_STATE, 1617, b"",
         "GET_STATE: The device has been removed.  If this|XX XX XX XX"),
        (0x313520, 1, b"", "0x313520: Incorrect function.  If this|XX XX XX XX"),
    ],
)  # fmt: skip
def test_event_610(book, code, win32, header, text):
    entry = book.write(IoctlRejectedEvent("reader0", code, win32, header))
    start, end = text.split("|")
    assert entry.text.startswith(f"Smart Card Reader '<reader0>' rejected IOCTL {start}")
    assert entry.text.endswith(f"\n\nCommand Header: {end}")
    assert (entry.source, entry.level, entry.event_id) == ("SCardSvr", "Error", 610)
    assert entry.strings[1] == "<reader0>"


@pytest.mark.wdk("event-log.export")
def test_an_entry_as_a_record(book):
    assert book.error().record() == {
        "number": 1,
        "time": "2001-09-09T01:46:40.000+00:00",
        "source": "acme",
        "level": "Error",
        "event_id": 1,
        "code": "0xC0100001",
        "text": "no message file is registered for event 0xC0100001 of source acme: reader0, COM1",
        "strings": ["reader0", "COM1"],
        "data": "02 01 00 00",
    }


def test_a_full_log_loses_its_oldest_entries(book):
    for _ in range(MAX_ENTRIES + 2):
        book.events.emit(DriverLogEvent("r", "-", "x"))
    entries = book.log.entries()
    assert (len(entries), entries[0].number, entries[-1].number) == (
        MAX_ENTRIES, 3, MAX_ENTRIES + 2)  # fmt: skip
    book.log.clear()
    assert book.error().number == MAX_ENTRIES + 3


# ---------------------------------------------------------------------- on a host


def test_our_driver_s_errors_are_in_words(make_host):
    host = make_host(None)
    reader = host.add_reader()
    driver = host.io.drivers["vreader"]
    host.run(SmartcardLogError, driver.devices[0], 0xC00000B5, "SELECT")
    (entry,) = host.run(host.log.entries)
    assert entry.source == "vreader"
    assert entry.text == f"The card in {reader.device} did not answer in time: SELECT."


class Mute:
    """A card that never answers a command."""

    def power_on(self):
        return bytes.fromhex("3B80800101")

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        from vreader.card import CardMute

        raise CardMute


@pytest.mark.wdk("event-log.rm-610")
def test_a_rejected_command_is_logged_by_its_header_alone(make_host):
    host = make_host()
    reader = host.add_reader("Acme Reader")
    reader.insert(Mute())
    api = ScardApi(host)
    card, protocol = api.SCardConnect(api.SCardEstablishContext(), reader.name)
    host.log.clear()
    with pytest.raises(ScardError):
        api.SCardTransmit(card, protocol, bytes.fromhex("0020008008") + b"31415926")
    (entry,) = host.run(host.log.entries)
    assert entry.text == (
        "Smart Card Reader 'Acme Reader 00 00' rejected IOCTL TRANSMIT: The semaphore timeout "
        "period has expired.  If this error persists, your smart card or reader may not be "
        "functioning correctly.\n\nCommand Header: 00 20 00 80"
    )
    assert "3141" not in str(entry.record())


def test_what_is_shorter_than_a_header_or_the_vendor_s_shows_nothing(make_host):
    host = make_host()
    reader = host.add_reader()
    reader.insert(Mute())
    api = ScardApi(host)
    card, protocol = api.SCardConnect(api.SCardEstablishContext(), reader.name)
    host.log.clear()
    for call in (
        lambda: api.SCardTransmit(card, protocol, b"\x31\x41\x59"),
        lambda: api.SCardControl(card, 0x00317777, b"31415926"),
    ):
        with pytest.raises(ScardError):
            call()
    assert [entry.strings[2:] for entry in host.run(host.log.entries)] == [
        ("TRANSMIT", "XX XX XX XX"), ("0x317777", "XX XX XX XX")]  # fmt: skip


@pytest.mark.parametrize("pci_length", [0, 13, 14, 0xFFFFFFFF])
def test_a_transmit_of_another_form_shows_nothing(make_host, pci_length):
    """An application's own IOCTL says where its command begins: it may point at the PIN."""
    host = make_host(WINDOWS)
    reader = host.add_reader()
    reader.insert(Mute())
    api = ScardApi(host)
    card, _ = api.SCardConnect(api.SCardEstablishContext(), reader.name)
    host.log.clear()
    request = b"\2\0\0\0" + pci_length.to_bytes(4, "little") + b"\0\x20\0\x80\x0831415926"
    with pytest.raises(ScardError):
        api.SCardControl(card, Ioctl.SMARTCARD_TRANSMIT, request)
    (entry,) = host.run(host.log.entries)
    assert entry.strings[2:] == ("TRANSMIT", "XX XX XX XX")


def test_requests_that_succeed_are_not_logged(make_host, make_card):
    host = make_host()
    card = make_card()
    card.gated = False
    reader = host.add_reader()
    reader.insert(card)
    api = ScardApi(host)
    handle, protocol = api.SCardConnect(api.SCardEstablishContext(), reader.name)
    api.SCardTransmit(handle, protocol, b"\0\xa4\4\0")
    reader.remove()
    assert host.run(host.log.entries) == []
