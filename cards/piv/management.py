# SPDX-License-Identifier: Apache-2.0
"""Yubico's management application: who the card is, and which of its applications are on.

READ CONFIG, WRITE CONFIG and DEVICE RESET as Yubico's tools send them. PIV is the only other
application of the card, CCID the only interface.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cards.piv.device import LOCK_LENGTH, PIV, Settings
from cards.piv.state import PivState
from cards.piv.tables import MANAGEMENT_AID
from cards.platform import Applet, Refuse, Template
from cards.platform.parsing import read_tlvs, require
from vreader.iso7816 import SW, CommandApdu, Tlv

_USB_A_KEYCHAIN = 1
_FINAL_RELEASE = 2
_USB_ENABLED, _EJECT, _CHALLENGE, _FLAGS, _LOCK = 0x03, 0x06, 0x07, 0x08, 0x0A
_UNLOCK, _REBOOT, _NFC_ENABLED, _NFC_RESTRICTED = 0x0B, 0x0C, 0x0E, 0x17
_TELLS_MORE = (5, 7, 0)
# What WRITE CONFIG may carry, and how long it is.
_WRITABLE = {
    _USB_ENABLED: 2,
    _EJECT: 2,
    _CHALLENGE: 1,
    _FLAGS: 1,
    _LOCK: LOCK_LENGTH,
    _UNLOCK: LOCK_LENGTH,
    _REBOOT: 0,
    _NFC_ENABLED: 2,
    _NFC_RESTRICTED: 1,
}


class ReadConfig(NamedTuple):
    """READ CONFIG (1D) of one page."""

    page: int


class WriteConfig(NamedTuple):
    """WRITE CONFIG (1C): tag → new value; 0B is the lock code that permits it."""

    values: Mapping[int, bytes]

    def __repr__(self) -> str:
        return "WriteConfig(…)"


class DeviceReset(NamedTuple):
    """DEVICE RESET (1F): all applications become as good as new."""


ManagementCommand = ReadConfig | WriteConfig | DeviceReset


class ManagementApplet(Applet[ManagementCommand]):
    """Answers SELECT with a line of text; tells, changes and resets the device.

    Args:
        state: of the PIV application of the same card, which is a YubiKey.
    """

    aid = MANAGEMENT_AID

    def __init__(self, state: PivState) -> None:
        version = state.profile.version
        assert version is not None, "a card without firmware version has no such application"
        self._state = state
        self._version = version

    def select(self, wanted: Template) -> bytes:
        """Return the text in which tools look for the version."""
        return b"Virtual mgr - FW version %d.%d.%d" % self._version

    def parse(self, apdu: CommandApdu) -> ManagementCommand:
        """Read a command of this firmware; others get 6D00."""
        since, parser = _PARSERS.get(apdu.ins, (self._version, None))
        if parser is None or self._version < since:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        return parser(apdu)

    def gate(self, command: ManagementCommand) -> None:
        """Ask for the lock code; a configuration without one has 16 zero bytes."""
        if isinstance(command, WriteConfig):
            code = command.values.get(_UNLOCK, bytes(LOCK_LENGTH))
            require(self._state.device.unlocks(code), SW.SECURITY_STATUS_NOT_SATISFIED)

    def execute(self, command: ManagementCommand) -> bytes:
        """Carry out a permitted command."""
        match command:
            case ReadConfig(page):
                require(page == 0, SW.INCORRECT_P1P2)
                info = b"".join(bytes(Tlv(tag, value)) for tag, value in self._information())
                return bytes((len(info),)) + info
            case WriteConfig(values):
                self._write(values)
            case DeviceReset():
                self._state.wipe()
        return b""

    def _information(self) -> list[tuple[int, bytes]]:
        """Return the data objects of the one page there is."""
        device, settings = self._state.device, self._state.device.settings
        version = bytes(self._version)
        told = [
            (0x01, PIV.to_bytes(2, "big")),  # supported over USB
            (0x02, self._state.serial.to_bytes(4, "big")),
            (_USB_ENABLED, device.usb_enabled.to_bytes(2, "big")),
            (0x04, bytes((_USB_A_KEYCHAIN,))),
            (0x05, version),
            (_LOCK, bytes((device.locked,))),
        ]
        if settings != Settings():
            told += [
                (_EJECT, settings.eject_timeout.to_bytes(2, "big")),
                (_CHALLENGE, bytes((settings.challenge_timeout,))),
                (_FLAGS, bytes((settings.flags,))),
            ]
        if device.contactless:
            told += [
                (0x0D, PIV.to_bytes(2, "big")),  # supported over NFC
                (_NFC_ENABLED, device.nfc_enabled.to_bytes(2, "big")),
            ]
        if self._version >= _TELLS_MORE:
            qualifier = (
                Tlv(0x01, version),
                Tlv(0x02, bytes((_FINAL_RELEASE,))),
                Tlv(0x03, b"\0"),
            )
            told += [
                (0x14, b"\0\0"),  # no application can be FIPS approved,
                (0x15, b"\0\0"),  # and none is
                (0x16, bytes((device.pin_complexity,))),
                (_NFC_RESTRICTED, bytes((settings.nfc_restricted,))),
                (0x18, b"\0\0"),  # every application may be reset alone
                (0x19, b"".join(map(bytes, qualifier))),
            ]
        return told

    def _write(self, values: Mapping[int, bytes]) -> None:
        device, old = self._state.device, self._state.device.settings
        numbers = {tag: int.from_bytes(value, "big") for tag, value in values.items()}
        # A key without any application over USB could never be told to turn one on again.
        require(bool(numbers.get(_USB_ENABLED, PIV) & PIV), SW.WRONG_DATA)
        require(_NFC_RESTRICTED not in values or self._version >= _TELLS_MORE, SW.WRONG_DATA)
        if _USB_ENABLED in values:
            device.usb_enabled = numbers[_USB_ENABLED]
        if _NFC_ENABLED in values:
            device.nfc_enabled = numbers[_NFC_ENABLED]
        device.settings = Settings(
            numbers.get(_EJECT, old.eject_timeout),
            numbers.get(_CHALLENGE, old.challenge_timeout),
            numbers.get(_FLAGS, old.flags),
            bool(numbers.get(_NFC_RESTRICTED, old.nfc_restricted)),
        )
        if _LOCK in values:
            device.set_lock(values[_LOCK])


def _read_config(apdu: CommandApdu) -> ReadConfig:
    require(apdu.p2 == 0, SW.INCORRECT_P1P2)
    require(not apdu.data, SW.WRONG_LENGTH)
    return ReadConfig(apdu.p1)


def _write_config(apdu: CommandApdu) -> WriteConfig:
    require(apdu.p1 == 0 and apdu.p2 == 0, SW.INCORRECT_P1P2)
    require(bool(apdu.data) and apdu.data[0] == len(apdu.data) - 1, SW.WRONG_DATA)
    found = read_tlvs(apdu.data[1:])
    fit = all(len(value) == _WRITABLE.get(tag) for tag, value in found.items())
    require(fit, SW.WRONG_DATA)
    return WriteConfig(found)


def _device_reset(apdu: CommandApdu) -> DeviceReset:
    require(apdu.p1 == 0 and apdu.p2 == 0, SW.INCORRECT_P1P2)
    require(not apdu.data, SW.WRONG_LENGTH)
    return DeviceReset()


# INS → the firmware that has it first, and how it is read.
_PARSERS: dict[int, tuple[tuple[int, int, int], Callable[[CommandApdu], ManagementCommand]]] = {
    0x1C: ((5, 0, 0), _write_config),
    0x1D: ((4, 1, 0), _read_config),
    # Of the keys that are sold only the Bio series has it; here the whole firmware does.
    0x1F: ((5, 7, 0), _device_reset),
}
