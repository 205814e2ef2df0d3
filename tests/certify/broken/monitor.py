# SPDX-License-Identifier: Apache-2.0
"""Part A: drivers whose card monitor is broken."""

from broken.base import Broken, complete, room, u32

from vreader.smclib.ioctl import Ioctl
from vreader.smclib.library import SmartcardCompleteCardTracking, SmartcardEndCardTracking
from vreader.wdm import NTSTATUS, IoCancelIrp, IoMarkIrpPending

TRACKING = (Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT)


class PendsAlways(Broken):
    """A wait that is over before it begins waits for the next movement."""

    fails = "A.absent-at-once"
    codes = TRACKING

    def instead(self, ext, irp, code, data):
        if code in self.codes and ext.OsData.NotificationIrp is None:
            ext.OsData.NotificationIrp = irp
            return self.RDF_CARD_TRACKING(ext)
        return None


class PresentPends(PendsAlways):
    """IS_PRESENT with a card inside waits for the next one."""

    fails = "A.present-at-once"
    codes = TRACKING[:1]


class NeverPends(Broken):
    """Nobody has to wait."""

    fails = "A.present-pends"

    def RDF_CARD_TRACKING(self, ext):
        return NTSTATUS.SUCCESS


class AbsentNeverPends(Broken):
    """Who waits for a removal is told at once that it has happened."""

    fails = "A.absent-pends"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.SUCCESS if code == Ioctl.SMARTCARD_IS_ABSENT else None


class ForgetsInsertion(Broken):
    """An insertion changes the state and completes nothing."""

    fails = "A.insertion-completes"

    def CardMoved(self, ext, card, inserted):
        kept = ext.OsData.NotificationIrp
        if inserted:
            ext.OsData.NotificationIrp = None
        super().CardMoved(ext, card, inserted)
        ext.OsData.NotificationIrp = kept if inserted else None


class ForgetsRemoval(Broken):
    """A removal changes the state and completes nothing."""

    fails = "A.removal-completes"

    def CardMoved(self, ext, card, inserted):
        kept = ext.OsData.NotificationIrp
        if not inserted:
            ext.OsData.NotificationIrp = None
        super().CardMoved(ext, card, inserted)
        ext.OsData.NotificationIrp = None if inserted else kept


class SaysCancelled(Broken):
    """An insertion completes the wait with the wrong status."""

    fails = "A.insertion-completes"

    def CardMoved(self, ext, card, inserted):
        SmartcardEndCardTracking(ext, NTSTATUS.TIMEOUT)
        super().CardMoved(ext, card, inserted)


class TellsTheState(Broken):
    """A wait returns the state, for which the caller has no room."""

    fails = "A.removal-completes"

    def CardMoved(self, ext, card, inserted):
        irp = ext.OsData.NotificationIrp
        if irp is not None:
            before, after = irp.observer, u32(1)

            def spoil(irp):
                before(irp)
                irp.IoStatus.Information = len(after)

            irp.observer = spoil
        super().CardMoved(ext, card, inserted)


class KeepsTheSlot(Broken):
    """NotificationIrp is not cleared when it was completed."""

    fails = "A.waits-again"

    def CardMoved(self, ext, card, inserted):
        kept = ext.OsData.NotificationIrp
        super().CardMoved(ext, card, inserted)
        ext.OsData.NotificationIrp = kept


class TwoWaiters(Broken):
    """A second waiter takes the place of the first, who is sent away."""

    fails = "A.one-at-a-time"

    def instead(self, ext, irp, code, data):
        if code in TRACKING:
            SmartcardCompleteCardTracking(ext)
        return


class NotCancelable(Broken):
    """The wait has no cancel routine."""

    fails = "A.cancel"

    def RDF_CARD_TRACKING(self, ext):
        IoMarkIrpPending(ext.OsData.NotificationIrp)
        return NTSTATUS.PENDING


class CancelKeepsTheSlot(Broken):
    """After a cancel the driver believes that somebody waits."""

    fails = "A.cancel"

    def RDF_CARD_TRACKING(self, ext):
        irp = ext.OsData.NotificationIrp
        irp.CancelRoutine = lambda _device, irp: complete(irp, NTSTATUS.CANCELLED)
        IoMarkIrpPending(irp)
        return NTSTATUS.PENDING


class ForgetsCleanup(Broken):
    """IRP_MJ_CLEANUP is completed, and nothing else."""

    fails = "A.close-cancels"

    def DispatchCleanup(self, device, irp):
        return complete(irp, NTSTATUS.SUCCESS)


class CleansUpTooMuch(Broken):
    """Any handle that is closed cancels every wait."""

    fails = "A.other-open-keeps"

    def DispatchCleanup(self, device, irp):
        waiting = device.DeviceExtension.SmartcardExtension.OsData.NotificationIrp
        if waiting is not None:
            IoCancelIrp(waiting)
        return super().DispatchCleanup(device, irp)


class BuffersMatter(Broken):
    """A wait with buffers is refused though the profile says that they are ignored."""

    fails = "A.buffers"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.INVALID_PARAMETER if code in TRACKING and (data or room(irp)) else None


class WaitsAlone(Broken):
    """Somebody who waits keeps everybody else out."""

    fails = "A.others-are-served"

    def instead(self, ext, irp, code, data):
        waits = ext.OsData.NotificationIrp is not None and code not in TRACKING
        return NTSTATUS.DEVICE_BUSY if waits else None


class WorksAlone(Broken):
    """A card at work keeps out who only wants to wait."""

    fails = "A.beside-a-command"

    def instead(self, ext, irp, code, data):
        busy = ext.OsData.CurrentIrp is not None and code in TRACKING
        return NTSTATUS.DEVICE_BUSY if busy else None
