# SPDX-License-Identifier: Apache-2.0
"""Yubico's management application: what it tells, what can be written, the reset of all."""

import pytest

from vreader.iso7816 import Tlv

CODE, OTHER = bytes(range(16)), bytes(range(1, 17))
SELECT = "00A4040008A000000527471117"


def tlvs(raw):
    return {tlv.tag: tlv.value for tlv in Tlv.parse_all(raw)}


class Manager:
    """A client of the management application."""

    def __init__(self, client):
        self.client = client
        client.card.power_on()
        assert client.raw(SELECT)[-4:] == "9000"

    def read(self):
        info = self.client.ok("001D0000")
        assert info[0] == len(info) - 1
        return tlvs(info[1:])

    def write(self, *values, code=None):
        lock = (Tlv(0x0B, code),) if code else ()
        data = b"".join(map(bytes, (*lock, *values)))
        return self.client.sw("001C0000", bytes((len(data),)) + data)

    def piv(self):
        """Select PIV and come back; return what the card said."""
        answer = self.client.raw("00A4040005A00000030800")
        assert self.client.raw(SELECT)[-4:] == "9000"
        return answer[-4:]


@pytest.fixture
def manager(make):
    return Manager(make("5.7.1"))


def test_firmware_5_7_tells_more(make):
    manager = Manager(make("5.7.1", serial="66"))
    assert manager.client.raw(SELECT) == b"Virtual mgr - FW version 5.7.1".hex().upper() + "9000"
    assert manager.read() == {
        0x01: b"\0\x10", 0x02: b"\0\0\0\x42", 0x03: b"\0\x10", 0x04: b"\1", 0x05: b"\5\7\1",
        0x0A: b"\0", 0x14: b"\0\0", 0x15: b"\0\0", 0x16: b"\0", 0x17: b"\0", 0x18: b"\0\0",
        0x19: bytes.fromhex("0103050701 020102 030100"),
    }  # fmt: skip


def test_over_nfc_it_tells_of_nfc(make):
    told = Manager(make(interface="nfc")).read()
    assert (told[0x0D], told[0x0E]) == (b"\0\x10", b"\0\x10")


def test_settings_are_kept(manager):
    values = (Tlv(6, b"\1\2"), Tlv(7, b"\x1e"), Tlv(8, b"\x80"), Tlv(0x0C), Tlv(0x17, b"\1"))
    assert manager.write(*values) == "9000"
    told = Manager(manager.client).read()
    assert [told[tag] for tag in (6, 7, 8, 0x17)] == [b"\1\2", b"\x1e", b"\x80", b"\1"]
    assert manager.write(Tlv(7, b"\5")) == "9000"
    told = manager.read()
    assert [told[tag] for tag in (6, 7, 8, 0x17)] == [b"\1\2", b"\5", b"\x80", b"\1"]


@pytest.mark.parametrize("capabilities", [b"\0\0", b"\x02\x2f"])
def test_the_last_application_over_usb_cannot_be_turned_off(manager, capabilities):
    assert manager.write(Tlv(8, b"\x80"), Tlv(3, capabilities), Tlv(0x0A, CODE)) == "6A80"
    told = manager.read()
    assert (told[3], told[0x0A], told.get(8)) == (b"\0\x10", b"\0", None)
    assert manager.piv() == "9000"
    assert manager.write(Tlv(3, b"\x02\x3f")) == "9000"
    assert manager.read()[3] == b"\0\x10"


def test_piv_can_be_turned_off_and_on_over_nfc(make):
    manager = Manager(make(interface="nfc"))
    assert manager.write(Tlv(0x0E, b"\0\0")) == "9000"
    assert manager.read()[0x0E] == b"\0\0"
    assert manager.piv() == "6A82"
    assert manager.write(Tlv(0x0E, b"\x02\x3f")) == "9000"
    assert manager.read()[0x0E] == b"\0\x10"
    assert manager.piv() == "9000"


def test_the_lock_code(manager):
    assert manager.write(Tlv(0x0A, CODE)) == "9000"
    assert manager.read()[0x0A] == b"\1"
    assert CODE not in manager.client.ok("001D0000")
    for code in (None, OTHER):
        assert manager.write(Tlv(3, b"\0\0"), code=code) == "6982"
        assert manager.write(Tlv(0x0A, OTHER), code=code) == "6982"
    assert manager.read()[3] == b"\0\x10"
    assert manager.write(Tlv(0x0A, OTHER), code=CODE) == "9000"
    assert manager.write(Tlv(8, b"\0"), code=CODE) == "6982"
    assert manager.write(Tlv(0x0A, bytes(16)), code=OTHER) == "9000"
    assert manager.read()[0x0A] == b"\0"
    assert manager.write(Tlv(8, b"\0")) == "9000"


def test_a_lock_code_where_there_is_none(manager):
    assert manager.write(Tlv(8, b"\x80"), code=CODE) == "6982"
    assert 8 not in manager.read()
    assert manager.write(Tlv(8, b"\x80"), code=bytes(16)) == "9000"
    assert manager.read()[8] == b"\x80"


@pytest.mark.parametrize(
    "data",
    ["", "01", "0103", "0203", "03030100", "0403020010FF", "03080200", "040802 0000", "0305020010",
     "0601010002 0000", "0A" + "0A08" + "00" * 8, "08" + "03020010" * 2, "020C0100"],
)  # fmt: skip
def test_what_cannot_be_written(manager, data):
    assert manager.client.sw("001C0000", bytes.fromhex(data)) == "6A80"
    assert manager.read()[3] == b"\0\x10"


def test_parameters(manager):
    assert manager.client.sw("001C0100", b"\0") == "6A86"
    assert manager.client.sw("001F0001") == "6A86"
    assert manager.client.sw("001F0000", b"\0") == "6700"
    assert manager.client.sw("00160000") == "6D00"


def test_device_reset_wipes_piv_and_keeps_the_device(make):
    client = make("5.7.1", serial="7", touch="5", pin="abcdef")
    client.admin()
    client.generate(0x9A, 0x11)
    client.ok("00DB3FFF", bytes.fromhex("5C035FC1055301AA"))
    manager = Manager(client)
    manager.write(Tlv(0x0A, CODE))
    assert client.sw("001F0000") == "9000"
    assert manager.read()[0x0A] == b"\1"
    client.select()
    assert client.sw("00F7009A") == "6A88"
    assert client.sw("00CB3FFF", bytes.fromhex("5C035FC105")) == "6A82"
    assert client.ok("00F80000") == b"\0\0\0\7"
    assert client.verify() == "9000"
    client.admin()


def test_older_firmware_has_no_device_reset(make):
    manager = Manager(make("5.4.3"))
    assert manager.client.sw("001F0000") == "6D00"
    assert manager.write(Tlv(0x17, b"\1")) == "6A80"  # nor NFC that waits for USB
    assert manager.write(Tlv(8, b"\0")) == "9000"


def test_commands_do_not_show_the_lock_code():
    from cards.piv.management import WriteConfig

    assert repr(WriteConfig({0x0A: CODE})) == "WriteConfig(…)"


def test_traces_show_no_lock_code():
    from cards.piv.describe import describe

    aid = bytes.fromhex("A000000527471117")
    raw = bytes.fromhex("001C00001312" + "0A10") + CODE
    told = describe(raw, aid)
    assert (told.text, told.secret) == ("WRITE CONFIG", ((5, len(raw)),))
    assert describe(raw, b"").secret == told.secret
    assert describe(bytes.fromhex("001F0000"), aid).text == "DEVICE RESET"
    assert describe(bytes.fromhex("00F6829A"), b"").text == "MOVE KEY 9A to 82"
    assert describe(bytes.fromhex("00F6FF9A"), b"").text == "DELETE KEY 9A"
