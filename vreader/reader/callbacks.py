# SPDX-License-Identifier: Apache-2.0
"""The RDF_* callbacks of the virtual reader: what the library asks of this driver.

The library has checked buffers, state and protocol before (WDK "Smart Card Driver Library Callback
Routines"). The slot behind the callbacks exchanges whole APDUs.
"""

from functools import partial

from vreader.iso7816 import Atr, AtrError
from vreader.reader.ask import STATUS_OF, Answer, Problem, power_off
from vreader.reader.slot import Slot
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
from vreader.wdm.irp import answer_in_buffer

_SUCCESS = NTSTATUS.SUCCESS  # looked up once: see vreader.wdm.irp


def CardPower(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_CARD_POWER: reset the card, or take its power; reply is the ATR."""
    slot: Slot = ext.ReaderExtension
    minor = ext.MinorIoControlCode
    if minor == Power.POWER_DOWN:
        return slot.request(
            lambda card: slot.ask_power("power down", card, partial(power_off, card)),
            partial(_powered_down, ext),
        )
    # A warm reset of a card without power is a cold one.
    unpowered = ext.ReaderCapabilities.CurrentState < CardState.POWERED
    cold = unpowered or minor == Power.COLD_RESET
    return slot.reset("cold reset" if cold else "warm reset", cold, partial(_reset, ext))


def _powered_down(ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
    irp.IoStatus.Information = 0
    return set_state(ext, ReaderEvent.POWER_DOWN)


def _reset(ext: SMARTCARD_EXTENSION, irp: Irp, answer: Answer) -> NTSTATUS:
    slot: Slot = ext.ReaderExtension
    if isinstance(answer, Problem) or not answer:
        set_state(ext, ReaderEvent.RESET_FAILED)
        ext.CardCapabilities.ATR = b""
        slot.power_down()
        return NTSTATUS.IO_TIMEOUT
    ext.CardCapabilities.ATR = answer
    ext.CardCapabilities.PtsData.Type = slot.pts_type
    status = SmartcardUpdateCardCapabilities(ext)
    if status is not _SUCCESS:
        slot.power_down()
        return status
    return answer_in_buffer(irp, answer)


def SetProtocol(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_SET_PROTOCOL: choose one protocol of the mask; reply is its bit.

    Whole APDUs cross this reader's link, so no PPS is exchanged.
    """
    protocol = choose_protocol(ext)
    if protocol is None:
        return NTSTATUS.NOT_SUPPORTED
    status = set_state(ext, ReaderEvent.SET_PROTOCOL)
    if status is not _SUCCESS:
        return status
    ext.CardCapabilities.Protocol.Selected = protocol
    return _reply(ext, int(protocol).to_bytes(4, "little"))


def choose_protocol(ext: SMARTCARD_EXTENSION) -> Protocol | None:
    """Return the protocol of the mask that both ends know, T=1 before T=0; None for none.

    SCARD_PROTOCOL_DEFAULT alone asks for the implicit protocol, the first that the card offers
    (ISO/IEC 7816-3 §6.3.1), SCARD_PROTOCOL_OPTIMAL for either.
    """
    wanted = Protocol(ext.MinorIoControlCode)
    offered = ext.CardCapabilities.Protocol.Supported | Protocol.RAW
    offered &= ext.ReaderCapabilities.SupportedProtocols
    if wanted is Protocol.DEFAULT and (implicit := _implicit(ext)) & offered:
        return implicit
    if not wanted & ~Protocol.DEFAULT:
        wanted = Protocol.T0 | Protocol.T1
    offered &= wanted
    return next((p for p in (Protocol.T1, Protocol.T0, Protocol.RAW) if p & offered), None)


def _implicit(ext: SMARTCARD_EXTENSION) -> Protocol:
    """Return the protocol a card speaks that is asked nothing; UNDEFINED where none can tell."""
    try:
        first = Atr.parse(ext.CardCapabilities.ATR).default_protocol
    except AtrError:  # a driver of its own may have made sense of it
        return Protocol.UNDEFINED
    return {0: Protocol.T0, 1: Protocol.T1}.get(first, Protocol.UNDEFINED)


def Transmit(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_TRANSMIT: hand the C-APDU behind the SCARD_IO_REQUEST to the card."""
    slot: Slot = ext.ReaderExtension
    request = ext.IoRequest
    buffer = request.RequestBuffer
    _protocol, start = IO_REQUEST.unpack_from(buffer)
    command = bytes(buffer[start : request.RequestBufferLength])
    return slot.exchange(command, _transmitted)


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
