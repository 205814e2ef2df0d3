# SPDX-License-Identifier: Apache-2.0
"""A contact reader whose card works on a thread of the driver's own.

A callback that would have to wait returns STATUS_PENDING and completes the request later. Three
things may come first, removal, cancel and sleep, so it is completed by whoever is first, once, and
a late answer is dropped. Try it with  vreader reader certify --driver contact.py:ContactReader
"""

import logging
import threading
from collections.abc import Callable

from vreader.card import Card, CardGone, CardMute
from vreader.reader.base import ReaderDriver
from vreader.reader.callbacks import choose_protocol
from vreader.reader.hardware import SlotHardware, hardware_of
from vreader.smclib.capabilities import SmartcardUpdateCardCapabilities
from vreader.smclib.ioctl import IO_REQUEST, IO_REQUEST_SIZE, Power, Protocol, ReaderType
from vreader.smclib.library import set_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import (
    NTSTATUS,
    DeviceObject,
    IoCompleteRequest,
    IoGetCurrentIrpStackLocation,
    IoManager,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    Irp,
)

Answer = bytes | NTSTATUS


class READER_EXTENSION:
    """What the driver knows of one reader: its slot, the request in hand, the cards at work."""

    def __init__(self, io: IoManager, hardware: SlotHardware):
        self.io = io
        self.hardware = hardware
        self.irp: Irp | None = None
        self.at_work: list[Card] = []


class ContactReader(ReaderDriver):
    """The driver. Everything here runs under the host's lock, but for ``work`` below."""

    service = "contact"

    def Initialize(self, ext: SMARTCARD_EXTENSION, pdo: DeviceObject) -> NTSTATUS:
        """Say who made the reader and what it can do."""
        ext.VendorAttr.VendorName = b"Example"
        ext.VendorAttr.IfdType = b"Contact Reader"
        ext.ReaderCapabilities.ReaderType = ReaderType.SERIAL
        ext.ReaderCapabilities.SupportedProtocols = Protocol.T0 | Protocol.T1
        ext.ReaderExtension = READER_EXTENSION(pdo.DriverObject.io, hardware_of(pdo))
        return NTSTATUS.SUCCESS

    # ------------------------------------------------------------------ the card at work

    def ask(
        self,
        ext: SMARTCARD_EXTENSION,
        question: Callable[[Card], bytes],
        answered: Callable[[SMARTCARD_EXTENSION, Irp, Answer], NTSTATUS],
    ) -> NTSTATUS:
        """Pend the request in hand and have a thread put ``question`` to the card."""
        reader: READER_EXTENSION = ext.ReaderExtension
        irp, card = ext.OsData.CurrentIrp, reader.hardware.card

        def work() -> None:  # on the thread: without the lock, without a look at the driver
            answer = put(question, card)
            reader.io.run_locked(lambda: back(answer))

        def back(answer: Answer) -> None:
            reader.at_work.remove(card)
            if answer is NTSTATUS.NO_MEDIA and reader.irp is irp:
                reader.hardware.remove()  # CardMoved completes the request
            else:
                end(answer)

        def end(answer: Answer) -> None:
            if reader.irp is irp:  # else somebody was faster: the answer is late
                self.complete(ext, irp, answered(ext, irp, answer))

        reader.irp = irp
        reader.at_work.append(card)
        IoSetCancelRoutine(irp, lambda _device, _irp: end(NTSTATUS.CANCELLED))
        IoMarkIrpPending(irp)
        threading.Thread(target=work, name="card", daemon=True).start()
        return NTSTATUS.PENDING

    def complete(self, ext: SMARTCARD_EXTENSION, irp: Irp | None, status: NTSTATUS) -> None:
        """Complete the request the card works on, if there is one."""
        if irp is not None:
            ext.ReaderExtension.irp = None
            IoSetCancelRoutine(irp, None)
            irp.IoStatus.Status = status
            IoCompleteRequest(irp)

    # ------------------------------------------------------------------ callbacks

    def RDF_CARD_POWER(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Reset the card, or take its power."""
        if ext.MinorIoControlCode == Power.POWER_DOWN:
            return self.ask(ext, power_off, self.powered_down)
        powered = ext.ReaderCapabilities.CurrentState >= CardState.POWERED
        if ext.MinorIoControlCode == Power.WARM_RESET and powered:
            return self.ask(ext, lambda card: card.reset(), self.reset)
        return self.ask(ext, lambda card: card.power_on(), self.reset)

    def powered_down(self, ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
        """The card has no power now, whatever it had to say."""
        return set_state(ext, ReaderEvent.POWER_DOWN)

    def reset(self, ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
        """Take the ATR: the library reads it and moves on to NEGOTIABLE or SPECIFIC."""
        if isinstance(answer, NTSTATUS):
            set_state(ext, ReaderEvent.RESET_FAILED)
            return answer
        ext.CardCapabilities.ATR = answer
        status = SmartcardUpdateCardCapabilities(ext)
        return status if status is not NTSTATUS.SUCCESS else reply(irp, answer)

    def RDF_SET_PROTOCOL(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Choose, T=1 before T=0, but the card's own for SCARD_PROTOCOL_DEFAULT alone."""
        if (chosen := choose_protocol(ext)) is None:
            return NTSTATUS.NOT_SUPPORTED
        set_state(ext, ReaderEvent.SET_PROTOCOL)
        ext.CardCapabilities.Protocol.Selected = chosen
        return reply(ext.OsData.CurrentIrp, chosen.to_bytes(4, "little"), ext)

    def RDF_TRANSMIT(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Hand the card what stands behind the SCARD_IO_REQUEST."""
        request = ext.IoRequest
        protocol, start = IO_REQUEST.unpack_from(request.RequestBuffer)
        command = bytes(request.RequestBuffer[start : request.RequestBufferLength])
        header = IO_REQUEST.pack(protocol, IO_REQUEST_SIZE)

        def transmitted(ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
            return answer if isinstance(answer, NTSTATUS) else reply(irp, header + answer)

        return self.ask(ext, lambda card: card.transmit(command), transmitted)

    # ------------------------------------------------------------------ what happens meanwhile

    def CardMoved(self, ext: SMARTCARD_EXTENSION, card: Card, inserted: bool) -> None:
        """A card was taken out, maybe while it works; the base class tracks it."""
        super().CardMoved(ext, card, inserted)
        if not inserted:
            self.complete(ext, ext.ReaderExtension.irp, NTSTATUS.NO_MEDIA)
            self.power_off(ext, card)

    def ExitD0(self, ext: SMARTCARD_EXTENSION) -> None:
        """The reader falls asleep, and its card is without power."""
        super().ExitD0(ext)
        self.complete(ext, ext.ReaderExtension.irp, NTSTATUS.DEVICE_POWERED_OFF)
        if (card := ext.ReaderExtension.hardware.card) is not None:
            self.power_off(ext, card)

    def power_off(self, ext: SMARTCARD_EXTENSION, card: Card) -> None:
        """Nobody waits for this: a work item will do. A card at work will get a cold reset."""
        reader = ext.ReaderExtension
        if card not in reader.at_work:
            reader.io.queue_work(lambda: put(power_off, card), lambda answer: None)


def put(question: Callable[[Card], bytes], card: Card) -> Answer:
    """Ask the card; how it fails becomes a status."""
    try:
        return question(card)
    except CardGone:
        return NTSTATUS.NO_MEDIA
    except CardMute:
        return NTSTATUS.IO_TIMEOUT
    except Exception:
        logging.getLogger("vreader").exception("a card's code failed")
        return NTSTATUS.IO_DEVICE_ERROR


def power_off(card: Card) -> bytes:
    """Take the card's power, which answers nothing."""
    card.power_off()
    return b""


def reply(irp: Irp, answer: bytes, ext: SMARTCARD_EXTENSION | None = None) -> NTSTATUS:
    """Put the answer into the buffer; a callback that does not pend tells the library its size."""
    if len(answer) > IoGetCurrentIrpStackLocation(irp).OutputBufferLength:
        return NTSTATUS.BUFFER_TOO_SMALL
    irp.SystemBuffer[: len(answer)] = answer
    irp.IoStatus.Information = len(answer)
    if ext is not None:
        ext.IoRequest.Information = len(answer)
    return NTSTATUS.SUCCESS
