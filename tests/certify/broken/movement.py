# SPDX-License-Identifier: Apache-2.0
"""Part F: drivers that lose count of their cards, or do not go when they are told."""

from broken.base import Broken, afterwards, complete

from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Attr
from vreader.smclib.library import (
    SmartcardAcquireRemoveLock,
    SmartcardCompleteCardTracking,
    set_state,
)
from vreader.smclib.states import ReaderEvent
from vreader.wdm import IRP_MN, NTSTATUS, IoGetCurrentIrpStackLocation, IoSetCancelRoutine


def minor(irp) -> int:
    return IoGetCurrentIrpStackLocation(irp).MinorFunction


class LosesCount(Broken):
    """The seventh insertion is not noticed."""

    fails = "F.cycles"
    count = 0

    def CardMoved(self, ext, card, inserted):
        self.count += inserted
        if self.count != 7:
            super().CardMoved(ext, card, inserted)


class StaleAtr(Broken):
    """The ATR attribute is that of the last card."""

    fails = "F.another-card"

    def RDF_CARD_POWER(self, ext):
        def spoil(irp):
            ext.VendorAttributes[Attr.ATR_STRING] = ext.CardCapabilities.ATR

        afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


class AnswersForTheDead(Broken):
    """A card that was taken out has the last word."""

    fails = "F.removal-in-command"

    def CardMoved(self, ext, card, inserted):
        set_state(ext, ReaderEvent.INSERTED if inserted else ReaderEvent.REMOVED)
        SmartcardCompleteCardTracking(ext)


class CompletesAgain(Broken):
    """A removal completes the command, and the late answer does so again."""

    fails = "F.removal-in-command"

    def CardMoved(self, ext, card, inserted):
        irp = ext.OsData.CurrentIrp
        if not inserted and irp is not None:
            IoSetCancelRoutine(irp, None)
            complete(irp, NTSTATUS.NO_MEDIA)
            return
        super().CardMoved(ext, card, inserted)


class GoesOnWithTheNext(Broken):
    """A second card that comes at once is taken for the first."""

    fails = "F.swap-in-command"

    def CardMoved(self, ext, card, inserted):
        before = ext.ReaderCapabilities.CurrentState, ext.CardCapabilities.Protocol.Selected
        if not inserted and ext.OsData.CurrentIrp is not None:
            self.before = before
        super().CardMoved(ext, card, inserted)
        if inserted and ext.OsData.CurrentIrp is None and hasattr(self, "before"):
            ext.ReaderCapabilities.CurrentState = self.before[0]
            ext.CardCapabilities.Protocol.Selected = self.before[1]
            del self.before


class BlamesTime(Broken):
    """A card that was taken out during its reset has taken too long."""

    fails = "F.removal-in-reset"

    def RDF_CARD_POWER(self, ext):
        def spoil(irp):
            if irp.IoStatus.Status is NTSTATUS.NO_MEDIA:
                irp.IoStatus.Status = NTSTATUS.IO_TIMEOUT

        afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


class GoodNewsAtTheEnd(Broken):
    """A reader that is pulled out says that a card has moved."""

    fails = "F.pulled-out-waiting"

    def _surprise(self, device, extension):
        SmartcardCompleteCardTracking(extension.SmartcardExtension)
        super()._surprise(device, extension)


class ServesWhenGone(Broken):
    """A reader that was pulled out still answers."""

    fails = "F.pulled-out-refuses"

    def _surprise(self, device, extension):
        super()._surprise(device, extension)
        extension.Refuse = None


class CardStaysBehind(Broken):
    """A reader that was pulled out lets its card finish."""

    fails = "F.pulled-out-in-command"

    def _surprise(self, device, extension):
        data, hardware = extension.SmartcardExtension.OsData, extension.Hardware
        kept = data.CurrentIrp, hardware.card
        data.CurrentIrp = hardware.card = None
        super()._surprise(device, extension)
        data.CurrentIrp, hardware.card = kept


class LeavesItsName(Broken):
    """The symbolic link stays."""

    fails = "F.name-is-gone"

    def _remove(self, device, extension, irp):
        kept, extension.Link = extension.Link, r"\\.\Nobody"
        status = super()._remove(device, extension, irp)
        assert kept != extension.Link
        return status


class DoesNotGo(Broken):
    """QUERY_REMOVE is always refused."""

    fails = "F.removed-in-order"

    def DispatchPnP(self, device, irp):
        if minor(irp) == IRP_MN.QUERY_REMOVE_DEVICE:
            return complete(irp, NTSTATUS.UNSUCCESSFUL)
        return super().DispatchPnP(device, irp)


class LeaksItsLock(Broken):
    """A command that fails does not release its remove lock."""

    fails = "F.leaves-nothing"

    def RDF_TRANSMIT(self, ext):
        def spoil(irp):
            if irp.IoStatus.Status is NTSTATUS.IO_TIMEOUT:
                SmartcardAcquireRemoveLock(ext)

        afterwards(ext, spoil)
        return VirtualReader.RDF_TRANSMIT(ext)


class ForgetsItsCard(Broken):
    """Started again the reader believes what it knew before."""

    fails = "F.stop-and-start"

    def DispatchPnP(self, device, irp):
        if minor(irp) == IRP_MN.STOP_DEVICE:
            device.DeviceExtension.SmartcardExtension.OsData.InD0 = False
        return super().DispatchPnP(device, irp)

    def EnterD0(self, ext):
        if not ext.CardCapabilities.ATR:
            super().EnterD0(ext)


class StopsAnyhow(Broken):
    """A reader whose card works lets itself be stopped."""

    fails = "F.stop-in-command"

    def DispatchPnP(self, device, irp):
        data = device.DeviceExtension.SmartcardExtension.OsData
        if minor(irp) != IRP_MN.QUERY_STOP_DEVICE:
            return super().DispatchPnP(device, irp)
        current, data.CurrentIrp = data.CurrentIrp, None
        status = super().DispatchPnP(device, irp)
        data.CurrentIrp = current
        return status
