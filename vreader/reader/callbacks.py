# SPDX-License-Identifier: Apache-2.0
"""The RDF_* callbacks of the virtual reader: what the library asks of this driver.

The library has checked buffers, state and protocol before (WDK "Smart Card Driver Library Callback
Routines"). The slot behind the callbacks exchanges whole APDUs.
"""

from functools import partial

from vreader.card import Card
from vreader.reader.slot import STATUS_OF, Answer, Problem, Slot, power_off
from vreader.smclib.capabilities import SmartcardUpdateCardCapabilities
from vreader.smclib.ioctl import (
    IO_REQUEST,
    IO_REQUEST_SIZE,
    Power,
    Protocol,
)
from vreader.smclib.library import set_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS, Irp

_CHANGE = {Power.COLD_RESET: "cold reset", Power.WARM_RESET: "warm reset"}

_SUCCESS = NTSTATUS.SUCCESS  # looked up once: see vreader.wdm.irp


def CardPower(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_CARD_POWER: reset the card, or take its power; reply is the ATR."""
    slot: Slot = ext.ReaderExtension
    minor = Power(ext.MinorIoControlCode)
    if minor is Power.POWER_DOWN:
        return slot.request(
            lambda card: slot.ask_power("power down", partial(power_off, card)),
            partial(_powered_down, ext),
        )
    # A warm reset of a card without power is a cold one.
    if ext.ReaderCapabilities.CurrentState < CardState.POWERED:
        minor = Power.COLD_RESET

    def ask(card: Card) -> Answer:
        call = card.power_on if minor is Power.COLD_RESET else card.reset
        return slot.ask_power(_CHANGE[minor], call)

    return slot.request(ask, partial(_reset, ext))


def _powered_down(ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
    irp.IoStatus.Information = 0
    return set_state(ext, ReaderEvent.POWER_DOWN)


def _reset(ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
    if isinstance(answer, Problem) or not answer:
        set_state(ext, ReaderEvent.RESET_FAILED)
        ext.CardCapabilities.ATR = b""
        return NTSTATUS.IO_TIMEOUT
    ext.CardCapabilities.ATR = answer
    ext.CardCapabilities.PtsData.Type = ext.ReaderExtension.pts_type
    status = SmartcardUpdateCardCapabilities(ext)
    if status is not NTSTATUS.SUCCESS:
        return status
    if len(answer) > irp.stack[irp.current].OutputBufferLength:
        return NTSTATUS.BUFFER_TOO_SMALL
    irp.SystemBuffer[: len(answer)] = answer
    irp.IoStatus.Information = len(answer)
    return NTSTATUS.SUCCESS


def SetProtocol(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_SET_PROTOCOL: choose one protocol of the mask; reply is its bit.

    Whole APDUs cross this reader's link, so no PPS is exchanged.
    """
    protocol = choose_protocol(ext)
    if protocol is None:
        return NTSTATUS.NOT_SUPPORTED
    status = set_state(ext, ReaderEvent.SET_PROTOCOL)
    ext.CardCapabilities.Protocol.Selected = protocol
    return _selected(ext) if status is NTSTATUS.SUCCESS else status


def choose_protocol(ext: SMARTCARD_EXTENSION) -> Protocol | None:
    """Return the protocol of the mask that both ends know, T=1 before T=0; None for none."""
    wanted = Protocol(ext.MinorIoControlCode)
    if not wanted & ~Protocol.DEFAULT:
        wanted = Protocol.T0 | Protocol.T1
    offered = ext.CardCapabilities.Protocol.Supported | Protocol.RAW
    offered &= wanted & ext.ReaderCapabilities.SupportedProtocols
    return next((p for p in (Protocol.T1, Protocol.T0, Protocol.RAW) if p & offered), None)


def _selected(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    selected = int(ext.CardCapabilities.Protocol.Selected)
    return _reply(ext, selected.to_bytes(4, "little"))


def Transmit(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_TRANSMIT: hand the C-APDU behind the SCARD_IO_REQUEST to the card."""
    slot: Slot = ext.ReaderExtension
    request = ext.IoRequest
    buffer = request.RequestBuffer
    _protocol, start = IO_REQUEST.unpack_from(buffer)
    command = bytes(buffer[start : request.RequestBufferLength])
    ask = partial(slot.ask_transmit, command, ext.OsData.CurrentIrp)
    return slot.request(ask, _transmitted)


def _transmitted(irp: Irp, answer: Answer) -> NTSTATUS:
    if isinstance(answer, Problem):
        return STATUS_OF[answer]
    if len(answer) < 2:
        return NTSTATUS.DEVICE_PROTOCOL_ERROR
    end = IO_REQUEST_SIZE + len(answer)
    if end > irp.stack[irp.current].OutputBufferLength:
        return NTSTATUS.BUFFER_TOO_SMALL
    buffer = irp.SystemBuffer
    # dwProtocol stays; cbPciLength is that of the reply's own header.
    buffer[4:8] = b"\x08\0\0\0"
    buffer[IO_REQUEST_SIZE:end] = answer
    irp.IoStatus.Information = end
    return _SUCCESS


def VendorIoctl(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_IOCTL_VENDOR, the unknown-IOCTL callback: PC/SC part 10 features, nothing else."""
    from vreader.reader.part10 import control  # not on the way of every start

    answer = control(ext)
    return answer if isinstance(answer, NTSTATUS) else _reply(ext, answer)


def _reply(ext: SMARTCARD_EXTENSION, reply: bytes) -> NTSTATUS:
    if len(reply) > ext.IoRequest.ReplyBufferLength:
        return NTSTATUS.BUFFER_TOO_SMALL
    ext.IoRequest.ReplyBuffer[: len(reply)] = reply
    ext.IoRequest.Information = len(reply)
    return NTSTATUS.SUCCESS
