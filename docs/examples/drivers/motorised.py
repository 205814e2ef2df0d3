# SPDX-License-Identifier: Apache-2.0
"""A motorised reader: it swallows a card, ejects it, and can keep it for good.

A card that a person inserts stands in the slot's mouth, PRESENT; the motor takes it to the
contacts, SWALLOWED, and back. A confiscated card falls into a bin: the reader is ABSENT then and
ready for the next card, and SCARD_ATTR_ICC_PRESENCE tells what has become of the last one.

How a card is asked, traced and taken away in the middle of a command is inherited from the virtual
reader. Try it with  vreader reader certify --driver motorised.py:MotorisedReader
"""

from vreader.card import Card
from vreader.reader.ask import Answer, power_off
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Characteristics
from vreader.smclib.library import set_state
from vreader.smclib.profile import CONTACT
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS, DeviceObject, Irp


class MotorisedReader(VirtualReader):
    """The driver."""

    service = "motorised"
    inf = None  # not that of the virtual reader: the driver is loaded as it is

    def Initialize(self, ext: SMARTCARD_EXTENSION, pdo: DeviceObject) -> NTSTATUS:
        """Say who made the reader and what it can do."""
        status = super().Initialize(ext, pdo)
        ext.Profile = CONTACT._replace(name="motorised", insertion_state=CardState.PRESENT)
        ext.VendorAttr.VendorName = b"Example"
        ext.VendorAttr.IfdType = b"Motorised Reader"
        ext.ReaderCapabilities.MechProperties = (
            Characteristics.SWALLOWS | Characteristics.EJECTS | Characteristics.CONFISCATES
        )
        return status

    def CardMoved(self, ext: SMARTCARD_EXTENSION, card: Card, inserted: bool) -> None:
        """A new card comes: what became of the last one is no longer told."""
        if inserted:
            ext.ReaderCapabilities.CardConfiscated = False
        super().CardMoved(ext, card, inserted)

    # The library has seen before each of these that there is a card.

    def RDF_READER_SWALLOW(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Take the card from the slot's mouth to the contacts."""
        return set_state(ext, ReaderEvent.SWALLOW)

    def RDF_CARD_POWER(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Take in a card that is asked for its ATR before anybody said SWALLOW."""
        set_state(ext, ReaderEvent.SWALLOW)
        return VirtualReader.RDF_CARD_POWER(ext)

    def RDF_CARD_EJECT(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Take the card's power, then move it to the slot's mouth."""

        def unpowered(irp: Irp, answer: Answer) -> NTSTATUS:
            return set_state(ext, ReaderEvent.EJECT)

        return ext.ReaderExtension.request(power_off, unpowered)

    def RDF_CARD_CONFISCATE(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Drop the card into the bin; its power goes with it, and IS_ABSENT completes."""
        set_state(ext, ReaderEvent.CONFISCATE)
        ext.ReaderCapabilities.CardConfiscated = True
        ext.ReaderExtension.hardware.remove()
        return NTSTATUS.SUCCESS
