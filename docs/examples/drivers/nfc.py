# SPDX-License-Identifier: Apache-2.0
"""A contactless reader of the NFC profile, whose radio can be switched off.

Power is virtual here: a card in the field has it, and a reset leads straight to SPECIFIC, so that
nobody has to set a protocol. The radio is switched by an I/O control code of the vendor. While it
is off there is no card, and the library answers everything but vendor codes
STATUS_DEVICE_POWERED_OFF.

How a card is asked, traced and taken away in the middle of a command is inherited from the virtual
reader. Try it with  vreader reader certify --driver nfc.py:NfcReader
"""

from vreader.card import Card
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import SCARD_CTL_CODE, Attr, Characteristics, Protocol, ReaderType
from vreader.smclib.library import SmartcardEndCardTracking, set_state
from vreader.smclib.profile import NFC
from vreader.smclib.states import ReaderEvent
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS, DeviceObject

# A vendor's functions are 2048 to 4095. Input: a ULONG, 1 switches on and 0 off; no output.
IOCTL_SET_RADIO = SCARD_CTL_CODE(2048)
OFF, ON = bytes(4), b"\1\0\0\0"

# Of the minimum attribute set of an NFC reader, what does not depend on the card.
ATTRIBUTES = {
    Attr.CURRENT_CLK: 13560,
    Attr.CURRENT_D: 1,
    Attr.CURRENT_IFSC: 32,
    Attr.CURRENT_IFSD: 254,
    Attr.CURRENT_BWT: 4,
}


class NfcReader(VirtualReader):
    """The driver."""

    service = "nfc"
    inf = None  # not that of the virtual reader: the driver is loaded as it is

    def Initialize(self, ext: SMARTCARD_EXTENSION, pdo: DeviceObject) -> NTSTATUS:
        """Say who made the reader and what it can do."""
        status = super().Initialize(ext, pdo)
        ext.Profile = NFC
        ext.VendorAttr.VendorName = b"Example"
        ext.VendorAttr.IfdType = b"NFC Reader"
        capabilities = ext.ReaderCapabilities
        capabilities.ReaderType = ReaderType.NFC
        capabilities.MechProperties = Characteristics.CONTACTLESS
        capabilities.SupportedProtocols = Protocol.T1
        capabilities.CLKFrequency = (13560, 13560)  # kHz
        capabilities.DataRate = (1, 1)
        for tag, value in ATTRIBUTES.items():
            ext.VendorAttributes[tag] = value.to_bytes(4, "little")
        return status

    def RDF_IOCTL_VENDOR(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Switch the radio; refuse every code the driver does not know."""
        if ext.MajorIoControlCode != IOCTL_SET_RADIO:
            return NTSTATUS.INVALID_DEVICE_REQUEST
        value = bytes(ext.IoRequest.RequestBuffer[: ext.IoRequest.RequestBufferLength])
        if value not in (OFF, ON):
            return NTSTATUS.INVALID_PARAMETER
        if value == ON and ext.OsData.PoweredOff:
            ext.OsData.PoweredOff = False
            if ext.ReaderExtension.card is not None:  # it may have come meanwhile
                set_state(ext, ReaderEvent.INSERTED)
        elif value == OFF and not ext.OsData.PoweredOff:
            ext.OsData.PoweredOff = True
            set_state(ext, ReaderEvent.REMOVED)
            ext.ReaderExtension.power_lost()
            SmartcardEndCardTracking(ext, NTSTATUS.DEVICE_POWERED_OFF)
        return NTSTATUS.SUCCESS

    def CardMoved(self, ext: SMARTCARD_EXTENSION, card: Card, inserted: bool) -> None:
        """Without its radio a reader does not notice who comes and goes."""
        if not ext.OsData.PoweredOff:
            super().CardMoved(ext, card, inserted)

    def EnterD0(self, ext: SMARTCARD_EXTENSION) -> None:
        """Wake; a radio that was off stays off."""
        if not ext.OsData.PoweredOff:
            super().EnterD0(ext)
