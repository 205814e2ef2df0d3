# SPDX-License-Identifier: Apache-2.0
"""The virtual reader's driver: its slot, its callbacks, its settings.

The routines a WDM reader driver must have are those of :mod:`vreader.reader.base`; the RDF_*
callbacks are in :mod:`vreader.reader.callbacks`.
"""

from typing import TYPE_CHECKING, NamedTuple

from vreader.card import Card
from vreader.iso7816.t1 import DEFAULT_IFS
from vreader.reader import callbacks
from vreader.reader.base import ReaderDriver
from vreader.reader.hardware import hardware_of
from vreader.reader.observer import ApduObserver, Describe, describe_nothing
from vreader.reader.slot import Slot
from vreader.smclib.ioctl import Characteristics, Protocol, ReaderType
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS, DeviceObject

if TYPE_CHECKING:
    from vreader.reader.finger import Finger
    from vreader.reader.linkspec import LinkSettings


class ReaderSettings(NamedTuple):
    """How one virtual reader is built; found by AddDevice in the PDO's property ``reader``.

    Attributes:
        vendor, ifd_type: the two halves of the reader's name, at most 32 bytes each.
        serial: SCARD_ATTR_VENDOR_IFD_SERIAL_NO; empty for none.
        profile: the driver profile.
        timeout_s: seconds a card may work on one request; None waits for ever.
        describe: explains APDUs for the trace and says which bytes are secret.
        unmask: show secrets in the trace.
        pinpad: what types PINs on the reader's keypad; None for a reader without one.
        link: how the card is driven below the level of APDUs; None carries APDUs whole.
    """

    vendor: str = "Virtual"
    ifd_type: str = "Reader"
    serial: str = ""
    profile: DriverProfile = CONTACT
    timeout_s: float | None = None
    describe: Describe = describe_nothing
    unmask: bool = False
    pinpad: "Finger | None" = None
    link: "LinkSettings | None" = None


class VirtualReader(ReaderDriver):
    """The reader that hosts cards: whole APDUs or TPDUs reach the card in its slot."""

    service = "vreader"
    inf = f"{__file__.rpartition('/')[0]}/vreader.inf"

    RDF_CARD_POWER = staticmethod(callbacks.CardPower)
    RDF_TRANSMIT = staticmethod(callbacks.Transmit)
    RDF_SET_PROTOCOL = staticmethod(callbacks.SetProtocol)
    RDF_IOCTL_VENDOR = staticmethod(callbacks.VendorIoctl)

    def Initialize(self, ext: SMARTCARD_EXTENSION, pdo: DeviceObject) -> NTSTATUS:
        """Build the reader the PDO's settings describe."""
        settings, hardware = pdo.properties.get("reader"), hardware_of(pdo)
        if not isinstance(settings, ReaderSettings) or hardware is None:
            return NTSTATUS.INVALID_PARAMETER
        ext.Profile = settings.profile
        ext.VendorAttr.VendorName = settings.vendor.encode()
        ext.VendorAttr.IfdType = settings.ifd_type.encode()
        ext.VendorAttr.IfdSerialNo = settings.serial.encode()
        capabilities = ext.ReaderCapabilities
        if settings.profile.contactless:
            # The minimum attributes of the NFC pages.
            capabilities.SupportedProtocols = Protocol.T1
            capabilities.ReaderType = ReaderType.NFC
            capabilities.MechProperties = Characteristics.CONTACTLESS
            capabilities.CLKFrequency = (13560, 13560)
            capabilities.DataRate = (1, 1)
        else:
            capabilities.SupportedProtocols = Protocol.T0 | Protocol.T1 | Protocol.RAW
        io = pdo.DriverObject.io
        observer = ApduObserver(io.events, pdo.name, settings.describe, settings.unmask)
        slot: Slot
        if settings.link is None:
            slot = Slot(io, ext, hardware, observer, settings.timeout_s)
        else:
            from vreader.reader import linked  # few readers have one

            slot = linked.LinkedSlot(io, ext, hardware, observer, settings.timeout_s, settings.link)
            ext.ReaderFunction[RDF.SET_PROTOCOL] = linked.SetProtocol
            capabilities.SupportedProtocols = Protocol(1 << settings.link.protocol)
            capabilities.MaxIFSD = settings.link.ifsd or DEFAULT_IFS
        ext.ReaderExtension = slot
        if settings.pinpad is not None:
            from vreader.reader.pinpad import AUTHENTICATION_DEVICES, Pinpad  # few readers have one

            slot.pinpad = Pinpad(slot, settings.pinpad)
            ext.VendorAttributes.update(AUTHENTICATION_DEVICES)
        return NTSTATUS.SUCCESS

    def CardMoved(self, ext: SMARTCARD_EXTENSION, card: Card, inserted: bool) -> None:
        """Tell the slot, which knows what its card was doing."""
        ext.ReaderExtension.moved(card, inserted)

    def ExitD0(self, ext: SMARTCARD_EXTENSION) -> None:
        """Take the card's power, also of one at work."""
        super().ExitD0(ext)
        ext.ReaderExtension.power_lost()
