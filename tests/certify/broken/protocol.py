# SPDX-License-Identifier: Apache-2.0
"""Part D: drivers that lose, change or invent what a card is asked and answers."""

import threading

from broken.base import Broken, afterwards, room, u32

from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, IoMarkIrpPending

SET_PROTOCOL, TRANSMIT = Ioctl.SMARTCARD_SET_PROTOCOL, Ioctl.SMARTCARD_TRANSMIT


class Commands(Broken):
    """Changes commands on their way to the card."""

    def command(self, ext, command: bytes) -> bytes:
        return command

    def RDF_TRANSMIT(self, ext):
        request = ext.IoRequest
        start = int.from_bytes(request.RequestBuffer[4:8], "little")
        changed = self.command(
            ext, bytes(request.RequestBuffer[start : request.RequestBufferLength])
        )
        request.RequestBuffer[start : start + len(changed)] = changed
        request.RequestBufferLength = start + len(changed)
        return VirtualReader.RDF_TRANSMIT(ext)


class Answers(Broken):
    """Changes answers on their way from the card."""

    def answer(self, ext, answer: bytes) -> bytes:
        return answer

    def RDF_TRANSMIT(self, ext):
        def spoil(irp):
            if irp.IoStatus.Status is NTSTATUS.SUCCESS:
                end = irp.IoStatus.Information
                changed = self.answer(ext, bytes(irp.SystemBuffer[IO_REQUEST_SIZE:end]))
                irp.IoStatus.Information = end = IO_REQUEST_SIZE + len(changed)
                irp.SystemBuffer[IO_REQUEST_SIZE:end] = changed

        afterwards(ext, spoil)
        return VirtualReader.RDF_TRANSMIT(ext)


class Resets(Broken):
    """Changes what a reset has led to."""

    def was_reset(self, ext, irp) -> None: ...

    def RDF_CARD_POWER(self, ext):
        def spoil(irp):
            if irp.IoStatus.Information:
                self.was_reset(ext, irp)

        afterwards(ext, spoil)
        return VirtualReader.RDF_CARD_POWER(ext)


def refuse(irp) -> None:
    irp.IoStatus.Status, irp.IoStatus.Information = NTSTATUS.UNRECOGNIZED_MEDIA, 0


class LosesLe(Commands):
    """Commands of case 4 lose their last byte."""

    fails = "D.four-cases"

    def command(self, ext, command):
        case4 = len(command) > 6 and len(command) == 6 + command[4]
        return command[:4] + bytes((command[4] - 1,)) + command[5:-2] if case4 else command


class LosesLongData(Commands):
    """Of more than 100 bytes of data the end is lost."""

    fails = "D.lengths"

    def command(self, ext, command):
        if len(command) > 105 and command[4] == len(command) - 5:
            return command[:4] + b"\x64" + command[5:105]
        return command


class CutsAnswers(Answers):
    """An answer has 256 bytes, the status word among them."""

    fails = "D.packets-of-258-bytes"

    def answer(self, ext, answer):
        return answer if len(answer) <= 256 else answer[:254] + answer[-2:]


class NoCrc(Resets):
    """A card whose blocks end with a CRC is not understood."""

    fails = "D.packets-of-259-bytes"

    def was_reset(self, ext, irp):
        if ext.CardCapabilities.T1.EDC:
            refuse(irp)


class CutsT0(Answers):
    """T=0 answers have 256 bytes, the status word among them."""

    fails = "D.t0-answer-of-258-bytes"

    def answer(self, ext, answer):
        t0 = ext.CardCapabilities.Protocol.Selected is Protocol.T0
        return answer[:254] + answer[-2:] if t0 and len(answer) > 256 else answer


class ShortOnly(Commands):
    """Commands of extended length do not reach the card."""

    fails = "D.extended-length"

    def command(self, ext, command):
        return command[:4] if len(command) > 5 and not command[4] else command


class NoDirectConvention(Resets):
    """A T=0 card of direct convention is not understood."""

    fails = "D.direct-convention"

    def was_reset(self, ext, irp):
        t0_alone = ext.CardCapabilities.Protocol.Supported is Protocol.T0
        if t0_alone and not ext.CardCapabilities.InversConvention:
            refuse(irp)


class NoInverseConvention(Resets):
    """A card of inverse convention is not understood."""

    fails = "D.inverse-convention"

    def was_reset(self, ext, irp):
        if ext.CardCapabilities.InversConvention:
            refuse(irp)


class InvertsNothing(Answers):
    """A card of inverse convention is not put right."""

    fails = "D.inverse-convention"

    def answer(self, ext, answer):
        inverse = ext.CardCapabilities.InversConvention
        return bytes(byte ^ 0xFF for byte in answer) if inverse else answer


class SpecificAtOnce(Resets):
    """The protocol is chosen before anybody could."""

    fails = "D.negotiable-mode"

    def was_reset(self, ext, irp):
        ext.ReaderCapabilities.CurrentState = CardState.SPECIFIC
        ext.CardCapabilities.Protocol.Selected = Protocol.T1


class IgnoresTa2(Resets):
    """A card in specific mode may still choose."""

    fails = "D.specific-mode"

    def was_reset(self, ext, irp):
        ext.ReaderCapabilities.CurrentState = CardState.NEGOTIABLE


class ChangesItsMind(Broken):
    """SET_PROTOCOL in SPECIFIC sets another protocol."""

    fails = "D.specific-mode-is-fixed"

    def instead(self, ext, irp, code, data):
        if code == SET_PROTOCOL and ext.ReaderCapabilities.CurrentState is CardState.SPECIFIC:
            ext.CardCapabilities.Protocol.Selected = Protocol(int.from_bytes(data, "little"))
        return


class SpeaksT1Anyhow(Resets):
    """Every card is believed to speak T=1."""

    fails = "D.t1-on-t0-card"

    def was_reset(self, ext, irp):
        ext.CardCapabilities.Protocol.Supported |= Protocol.T1


class NoLongAtr(Resets):
    """An ATR of more than 20 bytes is not understood."""

    fails = "D.long-atr"

    def was_reset(self, ext, irp):
        if len(ext.CardCapabilities.ATR) > 20:
            refuse(irp)


class MuteIsUnsuccessful(Broken):
    """A mute card gets the wrong status."""

    fails = "D.mute-card"

    def RDF_TRANSMIT(self, ext):
        def spoil(irp):
            if irp.IoStatus.Status is NTSTATUS.IO_TIMEOUT:
                irp.IoStatus.Status = NTSTATUS.UNSUCCESSFUL

        afterwards(ext, spoil)
        return VirtualReader.RDF_TRANSMIT(ext)


class WaitsForEver(Broken):
    """A mute card is waited for for ever."""

    fails = "D.mute-card"

    def RDF_TRANSMIT(self, ext):
        slot = ext.ReaderExtension
        if "transmit" not in slot.card.card.mute:
            return VirtualReader.RDF_TRANSMIT(ext)
        IoMarkIrpPending(ext.OsData.CurrentIrp)
        return NTSTATUS.PENDING


class Hangs(Broken):
    """A mute card is waited for inside the callback."""

    fails = "D.mute-card"
    let_go = threading.Event()  # by the test, when it has seen enough

    def RDF_TRANSMIT(self, ext):
        if "transmit" in ext.ReaderExtension.card.card.mute:
            self.let_go.wait()
        return VirtualReader.RDF_TRANSMIT(ext)


class HalfAnAnswer(Broken):
    """As many bytes of the answer as there is room for."""

    fails = "D.reply-too-small"

    def RDF_TRANSMIT(self, ext):
        def spoil(irp):
            if irp.IoStatus.Status is NTSTATUS.BUFFER_TOO_SMALL:
                irp.IoStatus.Status = NTSTATUS.BUFFER_OVERFLOW
                irp.IoStatus.Information = room(irp)

        afterwards(ext, spoil)
        return VirtualReader.RDF_TRANSMIT(ext)


class RepairsLc(Commands):
    """Lc is made to fit the data."""

    fails = "D.inconsistent-lc"

    def command(self, ext, command):
        if len(command) > 5 and command[4] > len(command) - 5:
            return command[:4] + bytes((len(command) - 5,)) + command[5:]
        return command


class Impatient(Broken):
    """A card is given up when the reader was asked for too often meanwhile."""

    fails = "D.slow-card"
    asked = 0

    def instead(self, ext, irp, code, data):
        self.asked = 0 if ext.OsData.CurrentIrp is None else self.asked + 1
        if self.asked > 10:
            ext.ReaderExtension.complete(ext.OsData.CurrentIrp, NTSTATUS.IO_TIMEOUT)
        return


class HidesMore(Answers):
    """61xx is kept from the caller."""

    fails = "D.status-words"

    def answer(self, ext, answer):
        return b"\x90\x00" if answer[:1] == b"\x61" and len(answer) == 2 else answer


class HidesWrongLe(Answers):
    """6Cxx becomes 6700."""

    fails = "D.wrong-le"

    def answer(self, ext, answer):
        return b"\x67\x00" if answer[:1] == b"\x6c" and len(answer) == 2 else answer


class NoHeader(Broken):
    """The reply is the card's answer alone."""

    fails = "D.reply-header"

    def RDF_TRANSMIT(self, ext):
        def spoil(irp):
            end = irp.IoStatus.Information
            irp.SystemBuffer[: end - 8] = irp.SystemBuffer[8:end]
            irp.IoStatus.Information = max(0, end - 8)

        afterwards(ext, spoil)
        return VirtualReader.RDF_TRANSMIT(ext)


class EightAlways(Broken):
    """The command is taken from behind eight bytes, whatever cbPciLength says."""

    fails = "D.longer-header"

    def RDF_TRANSMIT(self, ext):
        ext.IoRequest.RequestBuffer[4:8] = u32(IO_REQUEST_SIZE)
        return VirtualReader.RDF_TRANSMIT(ext)


class NoMinimum(Broken):
    """A request of any length will do."""

    fails = "D.short-request"

    def instead(self, ext, irp, code, data):
        return NTSTATUS.SUCCESS if code == TRANSMIT and len(data) < IO_REQUEST_SIZE else None


class ProtocolDoesNotMatter(Broken):
    """dwProtocol is not looked at."""

    fails = "D.other-protocol"

    def instead(self, ext, irp, code, data):
        if code == TRANSMIT and ext.ReaderCapabilities.CurrentState is CardState.SPECIFIC:
            irp.SystemBuffer[:4] = u32(ext.CardCapabilities.Protocol.Selected)
        return
