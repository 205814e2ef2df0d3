# SPDX-License-Identifier: Apache-2.0
"""Part B: drivers whose name, attributes or answers to unknown codes are broken."""

from broken.base import Broken, complete, room, u32

from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER
from vreader.smclib.ioctl import Attr, Ioctl, Protocol
from vreader.smclib.library import SmartcardDeleteLink
from vreader.smclib.profile import NFC
from vreader.wdm import NTSTATUS

GET, SET = Ioctl.SMARTCARD_GET_ATTRIBUTE, Ioctl.SMARTCARD_SET_ATTRIBUTE


class NameOfItsOwn(Broken):
    """The device has a name nobody looks for."""

    fails = "B.device-name"

    def AddDevice(self, driver, pdo):
        status = super().AddDevice(driver, pdo)
        device = pdo.AttachedDevice
        extension = device.DeviceExtension
        SmartcardDeleteLink(device, extension.Link)
        extension.Link = rf"\\.\MyReader{extension.SmartcardExtension.VendorAttr.UnitNo}"
        driver.io.IoCreateSymbolicLink(extension.Link, device)
        return status


class NotAnnounced(Broken):
    """The device interface is not enabled."""

    fails = "B.interface"

    def _started(self, device, irp, extension):
        status = super()._started(device, irp, extension)
        device.DriverObject.io.IoSetDeviceInterfaceState(
            GUID_DEVINTERFACE_SMARTCARD_READER, extension.Link, device, enable=False
        )
        return status


class Shared(Broken):
    """Two programs may open the reader at once."""

    fails = "B.exclusive"

    def Initialize(self, ext, pdo):
        pdo.exclusive = False
        return super().Initialize(ext, pdo)


class OpensOnce(Broken):
    """A reader that was closed cannot be opened again."""

    fails = "B.opens-again"

    def __init__(self):
        self.seen = set()

    def DispatchCreate(self, device, irp):
        if device in self.seen:
            return complete(irp, NTSTATUS.DEVICE_BUSY)
        self.seen.add(device)
        return super().DispatchCreate(device, irp)


class Constant(Broken):
    """An attribute has a fixed value."""

    tag, value = 0, b""

    def Initialize(self, ext, pdo):
        status = super().Initialize(ext, pdo)
        ext.VendorAttributes[self.tag] = self.value
        return status


class NameWithNul(Constant):
    """The vendor's name ends in a NUL."""

    fails = "B.vendor-name"
    tag, value = Attr.VENDOR_NAME, b"Vendor\0"


class NoType(Constant):
    """The reader has no type."""

    fails = "B.ifd-type"
    tag, value = Attr.VENDOR_IFD_TYPE, b""


class AlwaysTheSameUnit(Constant):
    """Every reader is unit 0."""

    fails = "B.device-unit"
    tag, value = Attr.DEVICE_UNIT, u32(0)


class MoreCharacteristics(Constant):
    """A bit of CHARACTERISTICS that has no meaning."""

    fails = "B.characteristics"
    tag, value = Attr.CHARACTERISTICS, u32(0x10)


class ShortCharacteristics(Constant):
    """CHARACTERISTICS is a byte."""

    fails = "B.characteristics"
    tag, value = Attr.CHARACTERISTICS, b"\0"


class NoProtocols(Constant):
    """The reader speaks a protocol nobody knows."""

    fails = "B.protocol-types"
    tag, value = Attr.PROTOCOL_TYPES, u32(Protocol.T0 | Protocol.T1 | 0x40)


class Truncates(Broken):
    """As much of an attribute as there is room for."""

    fails = "B.short-buffer"

    def instead(self, ext, irp, code, data):
        if code == GET and data == u32(Attr.VENDOR_NAME) and room(irp):
            return ext.VendorAttr.VendorName
        return None


class SucceedsWithoutBuffer(Broken):
    """Without a buffer there is nothing to return, and no error."""

    fails = "B.without-buffer"

    def instead(self, ext, irp, code, data):
        return b"" if code == GET and not room(irp) else None


class AnyTag(Broken):
    """A tag of any length is taken."""

    fails = "B.malformed-tag"

    def instead(self, ext, irp, code, data):
        return ext.VendorAttr.VendorName if code == GET and len(data) != 4 else None


class KnowsEverything(Broken):
    """An attribute nobody knows is empty."""

    fails = "B.unknown-attribute"

    def instead(self, ext, irp, code, data):
        known = len(data) != 4 or int.from_bytes(data, "little") in list(Attr)
        return None if code != GET or known else b""


class AtrWithoutCard(Constant):
    """Without a card the ATR is empty."""

    fails = "B.atr-without-card"
    tag, value = Attr.ATR_STRING, b""


class AtrAttributeWithNul(Broken):
    """The attribute holds a byte more than the ATR."""

    fails = "B.atr-of-card"

    def instead(self, ext, irp, code, data):
        asked = code == GET and data == u32(Attr.ATR_STRING)
        atr = ext.CardCapabilities.ATR
        return atr + b"\0" if asked and self.has_card(ext) and atr else None

    def has_card(self, ext):
        return ext.ReaderExtension.card is not None


class AlwaysPresent(Constant):
    """There is always a card."""

    fails = "B.presence"
    tag, value = Attr.ICC_PRESENCE, b"\1"


class AlwaysPowered(Constant):
    """The card's contacts are always active."""

    fails = "B.interface-status"
    tag, value = Attr.ICC_INTERFACE_STATUS, b"\1"


class AlwaysT0(Constant):
    """The protocol in force is said to be T=0."""

    fails = "B.current-protocol"
    tag, value = Attr.CURRENT_PROTOCOL_TYPE, u32(Protocol.T0)


class ContactClock(Constant):
    """A contactless reader with the clock of one with contacts."""

    fails = "B.contactless-minimum"
    profile = NFC
    tag, value = Attr.CURRENT_CLK, u32(4000)


class TellsTooMuch(Constant):
    """A contactless reader with attributes that have no meaning for it."""

    fails = "B.contactless-minimum"
    profile = NFC
    tag, value = Attr.CURRENT_F, u32(372)


class NeverInUse(Broken):
    """The resource manager may set nothing."""

    fails = "B.device-in-use"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.NOT_SUPPORTED if code == SET and len(data) == 8 else None


class AllWritable(Broken):
    """Every attribute can be set."""

    fails = "B.read-only"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.SUCCESS if code == SET and len(data) >= 4 else None


class KnowsEveryCode(Broken):
    """The vendor callback succeeds for codes it does not know."""

    fails = "B.unknown-code"

    def RDF_IOCTL_VENDOR(self, ext):
        return NTSTATUS.SUCCESS


class NoLastError(Broken):
    """GET_LAST_ERROR is not answered."""

    fails = "B.last-error"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.NOT_SUPPORTED if code == Ioctl.SMARTCARD_GET_LAST_ERROR else None
