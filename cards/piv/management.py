# SPDX-License-Identifier: Apache-2.0
"""Yubico's management application, as far as tools ask it who the card is.

It tells version, serial number and applications. Nothing of the PIV application is reached here,
and the writing commands do not exist: they get 6D00.
"""

from typing import NamedTuple

from cards.piv.tables import MANAGEMENT_AID
from cards.platform import Applet, Refuse, Template
from vreader.iso7816 import SW, CommandApdu, Tlv

_PIV_ALONE = 0x0010
_USB_A_KEYCHAIN = 1


class ReadConfig(NamedTuple):
    """READ CONFIG (1D) of one page."""

    page: int


class ManagementApplet(Applet[ReadConfig]):
    """Answers SELECT with a line of text and READ CONFIG with the device information."""

    aid = MANAGEMENT_AID

    def __init__(self, version: tuple[int, int, int], serial: int) -> None:
        self._version = version
        self._serial = serial

    def select(self, wanted: Template) -> bytes:
        """Return the text in which tools look for the version."""
        return b"Virtual mgr - FW version %d.%d.%d" % self._version

    def parse(self, apdu: CommandApdu) -> ReadConfig:
        """Read a command."""
        if apdu.ins != 0x1D:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        if apdu.p2:
            raise Refuse(SW.INCORRECT_P1P2)
        if apdu.data:
            raise Refuse(SW.WRONG_LENGTH)
        return ReadConfig(apdu.p1)

    def execute(self, command: ReadConfig) -> bytes:
        """Return the one page there is: a length byte and data objects."""
        if command.page:
            raise Refuse(SW.INCORRECT_P1P2)
        capabilities = _PIV_ALONE.to_bytes(2, "big")
        info = b"".join(
            bytes(Tlv(tag, value))
            for tag, value in (
                (0x01, capabilities),  # supported over USB
                (0x02, self._serial.to_bytes(4, "big")),
                (0x03, capabilities),  # enabled over USB
                (0x04, bytes((_USB_A_KEYCHAIN,))),
                (0x05, bytes(self._version)),
                (0x0A, b"\0"),  # configuration not locked
            )
        )
        return bytes((len(info),)) + info
