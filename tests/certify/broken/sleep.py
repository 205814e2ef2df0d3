# SPDX-License-Identifier: Apache-2.0
"""Part E: drivers that wake up with wrong ideas."""

from broken.base import Broken, complete

from vreader.reader.base import ReaderDriver
from vreader.smclib.library import SmartcardCompleteCardTracking, set_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.wdm import NTSTATUS, IoGetCurrentIrpStackLocation
from vreader.wdm.power import PowerDeviceD0, power_of


def present(ext) -> bool:
    return ext.ReaderExtension.card is not None


class KeepsPowerIrps(Broken):
    """Power requests do not reach the bus."""

    fails = "E.power-passed-on"

    def DispatchPower(self, device, irp):
        state = power_of(IoGetCurrentIrpStackLocation(irp).Parameters)
        self._power(device.DeviceExtension, state == PowerDeviceD0)
        return complete(irp, NTSTATUS.SUCCESS)


class WakesSpecific(Broken):
    """The card is as it was before."""

    fails = "E.state-after-waking"

    def ExitD0(self, ext):
        self.before = ext.ReaderCapabilities.CurrentState
        self.protocol = ext.CardCapabilities.Protocol.Selected
        super().ExitD0(ext)

    def EnterD0(self, ext):
        super().EnterD0(ext)
        if getattr(self, "before", None) is CardState.SPECIFIC and present(ext):
            ext.ReaderCapabilities.CurrentState = CardState.SPECIFIC
            ext.CardCapabilities.Protocol.Selected = self.protocol


class PowersItsCardAsleep(Broken):
    """The card keeps its power while the reader sleeps."""

    fails = "E.works-after-waking"

    def ExitD0(self, ext):
        ReaderDriver.ExitD0(self, ext)


class Reassured(Broken):
    """A card before and a card after: nobody need know."""

    fails = "E.card-stayed"

    def EnterD0(self, ext):
        here = ext.ReaderCapabilities.CurrentState > CardState.ABSENT
        waiting = ext.OsData.NotificationIrp
        if here and present(ext):
            ext.OsData.NotificationIrp = None
        super().EnterD0(ext)
        if here and present(ext):
            ext.OsData.NotificationIrp = waiting


class RemembersTheAtr(Broken):
    """The ATR of before is still that of the card inside."""

    fails = "E.card-swapped"
    asleep = atr = b""

    def ExitD0(self, ext):
        self.asleep = ext.CardCapabilities.ATR
        super().ExitD0(ext)

    def instead(self, ext, irp, code, data):
        from vreader.smclib.ioctl import Ioctl

        reset = code == Ioctl.SMARTCARD_POWER and data == b"\1\0\0\0"
        atr, self.asleep = self.asleep, b"" if reset else self.asleep
        if reset and atr and ext.OsData.InD0 and present(ext):
            return atr
        return None


class BelievesInItsCard(Broken):
    """A card that was there before is there for ever."""

    fails = "E.card-gone"

    def EnterD0(self, ext):
        here = ext.ReaderCapabilities.CurrentState > CardState.ABSENT
        super().EnterD0(ext)
        if here:
            ext.ReaderCapabilities.CurrentState = CardState.SWALLOWED


class SeesNoNewCard(Broken):
    """A card that came asleep is not noticed."""

    fails = "E.card-came"

    def EnterD0(self, ext):
        if ext.ReaderCapabilities.CurrentState > CardState.ABSENT:
            super().EnterD0(ext)
        else:
            set_state(ext, ReaderEvent.REMOVED)


class CriesWolf(Broken):
    """Waking completes every wait."""

    fails = "E.nothing-came"

    def EnterD0(self, ext):
        super().EnterD0(ext)
        SmartcardCompleteCardTracking(ext)


class NeverAsleep(Broken):
    """Requests reach the card of a reader without power."""

    fails = "E.asleep"

    def instead(self, ext, irp, code, data):
        ext.OsData.InD0 = True
        return


class WorksAsleep(Broken):
    """A command is not ended by the loss of power."""

    fails = "E.in-command"

    def ExitD0(self, ext):
        ReaderDriver.ExitD0(self, ext)
