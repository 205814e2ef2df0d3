# SPDX-License-Identifier: Apache-2.0
"""Part C: drivers that break a sequence of the resource manager's."""

from broken.base import Broken, afterwards, complete, room, u32

from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Characteristics, Ioctl, Power, Protocol
from vreader.smclib.library import set_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.wdm import (
    NTSTATUS,
    IoSetCancelRoutine,
)

POWER, SET_PROTOCOL = Ioctl.SMARTCARD_POWER, Ioctl.SMARTCARD_SET_PROTOCOL
TRANSMIT, GET_STATE = Ioctl.SMARTCARD_TRANSMIT, Ioctl.SMARTCARD_GET_STATE


def state(ext):
    return ext.ReaderCapabilities.CurrentState


class StartsUnknown(Broken):
    """An empty reader does not know that it is empty."""

    fails = "C.absent"

    def EnterD0(self, ext):
        super().EnterD0(ext)
        if state(ext) is CardState.ABSENT:
            ext.ReaderCapabilities.CurrentState = CardState.UNKNOWN


class AtrWithoutReset(Broken):
    """An insertion leads to POWERED though nobody gave the card power."""

    fails = "C.inserted"

    def CardMoved(self, ext, card, inserted):
        super().CardMoved(ext, card, inserted)
        if inserted:
            ext.ReaderCapabilities.CurrentState = CardState.POWERED


class HalfAState(Broken):
    """As many bytes of the state as there is room for."""

    fails = "C.state-buffer"

    def instead(self, ext, irp, code, data):
        return u32(state(ext)) if code == GET_STATE and room(irp) < 4 else None


class NotReadyWithoutCard(Broken):
    """Without a card the wrong status."""

    fails = "C.no-media"

    def instead(self, ext, irp, code, data):
        asked = code in (POWER, SET_PROTOCOL, TRANSMIT) and ext.OsData.CurrentIrp is None
        return NTSTATUS.DEVICE_NOT_READY if asked and ext.ReaderExtension.card is None else None


class AtrWithNul(Broken):
    """A reset returns a byte more than the ATR."""

    fails = "C.cold-reset"

    def RDF_CARD_POWER(self, ext):
        def spoil(irp):
            if irp.IoStatus.Information:
                irp.IoStatus.Information += 1

        afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


class NeverCold(Broken):
    """A card that has power is never reset cold."""

    fails = "C.cold-reset"

    def RDF_CARD_POWER(self, ext):
        if ext.MinorIoControlCode == Power.COLD_RESET and state(ext) >= CardState.POWERED:
            ext.MinorIoControlCode = Power.WARM_RESET
        return VirtualReader.RDF_CARD_POWER(ext)


class NeverWarm(Broken):
    """Every reset is a cold one."""

    fails = "C.warm-reset"

    def RDF_CARD_POWER(self, ext):
        if ext.MinorIoControlCode == Power.WARM_RESET:
            ext.MinorIoControlCode = Power.COLD_RESET
        return VirtualReader.RDF_CARD_POWER(ext)


class WarmNeedsPower(Broken):
    """A warm reset of a card without power is refused."""

    fails = "C.warm-reset-without-power"

    def RDF_CARD_POWER(self, ext):
        if ext.MinorIoControlCode == Power.WARM_RESET and state(ext) < CardState.POWERED:
            return NTSTATUS.INVALID_DEVICE_STATE
        return VirtualReader.RDF_CARD_POWER(ext)


class KeepsTheProtocol(Broken):
    """The protocol of before the reset is still in force."""

    fails = "C.reset-renegotiates"

    def RDF_CARD_POWER(self, ext):
        before, selected = state(ext), ext.CardCapabilities.Protocol.Selected

        def spoil(irp):
            if before is CardState.SPECIFIC and state(ext) is CardState.NEGOTIABLE:
                ext.ReaderCapabilities.CurrentState = before
                ext.CardCapabilities.Protocol.Selected = selected

        afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


class PowerStaysOn(Broken):
    """POWER_DOWN changes the state and nothing else."""

    fails = "C.power-down"

    def RDF_CARD_POWER(self, ext):
        if ext.MinorIoControlCode == Power.POWER_DOWN:
            return set_state(ext, ReaderEvent.POWER_DOWN)
        return VirtualReader.RDF_CARD_POWER(ext)


class StateStaysUp(Broken):
    """POWER_DOWN takes the power and leaves the state."""

    fails = "C.power-down"

    def RDF_CARD_POWER(self, ext):
        before = state(ext)

        def spoil(irp):
            ext.ReaderCapabilities.CurrentState = before

        if ext.MinorIoControlCode == Power.POWER_DOWN:
            afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


class HalfAnAtr(Broken):
    """As many bytes of the ATR as there is room for."""

    fails = "C.reset-buffer"

    def instead(self, ext, irp, code, data):
        short = code == POWER and data == u32(1) and room(irp) < 33
        return b"\x3b" if short and ext.ReaderExtension.card is not None else None


class AnyMinorCode(Broken):
    """A minor code nobody knows is taken for a reset."""

    fails = "C.power-input"

    def instead(self, ext, irp, code, data):
        if code == POWER and data == u32(3):
            irp.SystemBuffer[:4] = u32(Power.COLD_RESET)
        return


class BlamesTheCard(Broken):
    """A card that is mute is unrecognised."""

    fails = "C.mute-reset"

    def RDF_CARD_POWER(self, ext):
        def spoil(irp):
            if irp.IoStatus.Status is NTSTATUS.IO_TIMEOUT:
                irp.IoStatus.Status = NTSTATUS.UNRECOGNIZED_MEDIA

        afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


class AnyAtr(Broken):
    """What is no ATR is taken for one."""

    fails = "C.bad-atr"

    def RDF_ATR_PARSE(self, ext):
        return NTSTATUS.SUCCESS


class PrefersT0(Broken):
    """T=0 before T=1."""

    fails = "C.prefers-t1"

    def RDF_SET_PROTOCOL(self, ext):
        if ext.MinorIoControlCode & ext.CardCapabilities.Protocol.Supported & Protocol.T0:
            ext.MinorIoControlCode = Protocol.T0
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class FirstProtocolOnly(Broken):
    """Of the protocols of an ATR only the first is seen."""

    fails = "C.prefers-t1"

    def RDF_SET_PROTOCOL(self, ext):
        if ext.CardCapabilities.Protocol.Supported & Protocol.T0:
            ext.CardCapabilities.Protocol.Supported = Protocol.T0
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class StaysNegotiable(Broken):
    """SET_PROTOCOL answers and does nothing."""

    fails = "C.prefers-t1"

    def RDF_SET_PROTOCOL(self, ext):
        status = VirtualReader.RDF_SET_PROTOCOL(ext)
        ext.ReaderCapabilities.CurrentState = CardState.NEGOTIABLE
        return status


class AnswersTheMask(Broken):
    """SET_PROTOCOL answers what it was asked, not what it chose."""

    fails = "C.prefers-t1"

    def RDF_SET_PROTOCOL(self, ext):
        mask = ext.MinorIoControlCode
        status = VirtualReader.RDF_SET_PROTOCOL(ext)
        ext.IoRequest.ReplyBuffer[:4] = u32(mask)
        return status


class AsItLikes(Broken):
    """The mask does not count."""

    fails = "C.what-was-asked-for"

    def RDF_SET_PROTOCOL(self, ext):
        ext.MinorIoControlCode = Protocol.T0 | Protocol.T1
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class AsTheMaskLikes(Broken):
    """The card does not count."""

    fails = "C.what-the-card-has"

    def RDF_SET_PROTOCOL(self, ext):
        ext.CardCapabilities.Protocol.Supported = Protocol.T0 | Protocol.T1
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class NoDefault(Broken):
    """SCARD_PROTOCOL_DEFAULT is no protocol."""

    fails = "C.default-and-optimal"

    def RDF_SET_PROTOCOL(self, ext):
        if ext.MinorIoControlCode & Protocol.DEFAULT:
            return NTSTATUS.NOT_SUPPORTED
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class AnyProtocol(Broken):
    """A protocol nobody knows is T=1."""

    fails = "C.unknown-protocol"

    def instead(self, ext, irp, code, data):
        if code == SET_PROTOCOL and data == u32(0x40):
            irp.SystemBuffer[:4] = u32(Protocol.T1)
        return


class AnswersNowhere(Broken):
    """SET_PROTOCOL needs no room for its answer."""

    fails = "C.protocol-buffers"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.SUCCESS if code == SET_PROTOCOL and room(irp) < 4 else None


class OnlyOnce(Broken):
    """A protocol is set once."""

    fails = "C.protocol-again"

    def instead(self, ext, irp, code, data):
        again = code == SET_PROTOCOL and state(ext) is CardState.SPECIFIC
        return NTSTATUS.INVALID_DEVICE_STATE if again else None


class NeedsNoReset(Broken):
    """SET_PROTOCOL succeeds before the reset."""

    fails = "C.not-reset"

    def instead(self, ext, irp, code, data):
        early = code == SET_PROTOCOL and state(ext) is CardState.SWALLOWED
        return u32(Protocol.T1) if early else None


class NeedsNoProtocol(Broken):
    """TRANSMIT chooses the protocol where nobody did."""

    fails = "C.not-negotiated"

    def instead(self, ext, irp, code, data):
        if code == TRANSMIT and state(ext) is CardState.NEGOTIABLE:
            set_state(ext, ReaderEvent.SET_PROTOCOL)
            ext.CardCapabilities.Protocol.Selected = Protocol(int.from_bytes(data[:4], "little"))
        return


class NoSecondChance(Broken):
    """A card that lost its power gets none again."""

    fails = "C.connect"

    def RDF_CARD_POWER(self, ext):
        slot = ext.ReaderExtension
        if ext.MinorIoControlCode == Power.POWER_DOWN:
            self.dead = slot.card
        elif slot.card is getattr(self, "dead", None):
            return NTSTATUS.IO_TIMEOUT
        return VirtualReader.RDF_CARD_POWER(ext)


class ServesTwo(Broken):
    """A second request is served while the first is with the card."""

    fails = "C.one-callback"

    def instead(self, ext, irp, code, data):
        return u32(state(ext)) if code == GET_STATE and ext.OsData.CurrentIrp else None


class BusyForEver(Broken):
    """Who came too early finds the reader busy from then on."""

    fails = "C.one-callback"
    busy = False

    def instead(self, ext, irp, code, data):
        self.busy = self.busy or ext.OsData.CurrentIrp is not None
        return NTSTATUS.DEVICE_BUSY if self.busy else None


class CancelsWithoutTelling(Broken):
    """Cleanup completes a command that the card will complete again."""

    fails = "C.close-in-command"

    def DispatchCleanup(self, device, irp):
        data = device.DeviceExtension.SmartcardExtension.OsData
        if data.CurrentIrp is not None:
            IoSetCancelRoutine(data.CurrentIrp, None)
            complete(data.CurrentIrp, NTSTATUS.CANCELLED)
        return super().DispatchCleanup(device, irp)


class PromisesAMotor(Broken):
    """CHARACTERISTICS says that the reader ejects, and there is no callback."""

    fails = "C.mechanics"

    def Initialize(self, ext, pdo):
        status = super().Initialize(ext, pdo)
        ext.ReaderCapabilities.MechProperties = Characteristics.EJECTS
        return status


class HidesItsMotor(Broken):
    """The reader swallows, and CHARACTERISTICS does not say so."""

    fails = "C.mechanics"

    def RDF_READER_SWALLOW(self, ext):
        return set_state(ext, ReaderEvent.SWALLOW)
