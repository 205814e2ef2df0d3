# SPDX-License-Identifier: Apache-2.0
"""SmartcardT1Request and SmartcardT1Reply: T=1 for drivers of plain hardware (1998 DDK).

A driver loops in RDF_TRANSMIT: SmartcardT1Request puts a block into SmartcardRequest; the driver
sends it, waits BWT (times T1.Wtx where that is not 0) and puts the card's block into
SmartcardReply, or sets its BufferLength to 0 where none came; SmartcardT1Reply returns
STATUS_MORE_PROCESSING_REQUIRED as long as the loop must go on.

The protocol itself is :mod:`vreader.iso7816.t1reader`; T1_DATA shows its state.
"""

from vreader.iso7816.t1 import (
    ABORT,
    EDC_ERROR,
    IFS,
    MAX_INF,
    OTHER_ERROR,
    RESPONSE,
    RESYNCH,
    WTX,
    Block,
    BlockError,
    T1Error,
)
from vreader.iso7816.t1reader import Phase, T1Reader
from vreader.smclib.framing import put, put_reply, request_data
from vreader.smclib.ioctl import Attr
from vreader.smclib.structs import SMARTCARD_EXTENSION, T1_DATA
from vreader.wdm import NTSTATUS, Irp

# winsmcrd.h
SCARD_T1_PROLOGUE_LENGTH = 3
SCARD_T1_EPILOGUE_LENGTH = SCARD_T1_EPILOGUE_LENGTH_LRC = 1
SCARD_T1_EPILOGUE_LENGTH_CRC = 2
SCARD_T1_MAX_IFS = MAX_INF
# smclib.h
T1_IFSD, T1_IFSD_DEFAULT, T1_MAX_RETRIES = 254, 32, 2
T1_INIT, T1_START, T1_I_BLOCK, T1_R_BLOCK, T1_RESTART = range(5)
T1_RESYNCH_REQUEST, T1_RESYNCH_RESPONSE = RESYNCH, RESYNCH | RESPONSE
T1_IFS_REQUEST, T1_IFS_RESPONSE = IFS, IFS | RESPONSE
T1_ABORT_REQUEST, T1_ABORT_RESPONSE = ABORT, ABORT | RESPONSE
T1_WTX_REQUEST, T1_WTX_RESPONSE = WTX, WTX | RESPONSE
T1_VPP_ERROR = 0xE4  # an old card's complaint; answered like any block that is not understood
T1_MORE_DATA = 0x20
T1_ERROR_CHKSUM, T1_ERROR_OTHER = EDC_ERROR, OTHER_ERROR


class _Engine(T1Reader):
    """The reader's end of T=1, and the request it works for."""

    irp: Irp | None = None


def SmartcardT1Request(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Put the next block into SmartcardRequest: the first of a command, or what the reply led to.

    The driver may choose T1.NAD before, and nothing else of the block. Where it has left the last
    request in the middle (a cancel, a time-out), both ends are brought into step first.

    Returns:
        STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES: SmartcardRequest is too small for the block.
    """
    data = ext.T1
    engine = _engine(ext)
    engine.nad = data.NAD
    irp = ext.OsData.CurrentIrp
    if data.WaitForReply and engine.irp is irp:
        block = engine.current()
    else:
        command = request_data(ext)
        data.BytesToSend, data.BytesSent, data.BytesReceived = len(command), 0, 0
        data.Resend = data.Resynch = 0
        data.ReplyData = b""
        block = engine.begin_anew(command) if data.WaitForReply else engine.begin(command)
        engine.irp = irp
        data.WaitForReply = True
    if not put(ext.SmartcardRequest, block):
        return NTSTATUS.INSUFFICIENT_RESOURCES
    _show(ext, engine)
    return NTSTATUS.SUCCESS


def SmartcardT1Reply(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Take the card's block from SmartcardReply; a BufferLength of 0 says that none came in time.

    Returns:
        STATUS_MORE_PROCESSING_REQUIRED: go on with SmartcardT1Request; STATUS_SUCCESS: the response
        is with the caller; STATUS_BUFFER_TOO_SMALL: it does not fit there;
        STATUS_DEVICE_PROTOCOL_ERROR: too many errors, reset the card.
    """
    data, reply = ext.T1, ext.SmartcardReply
    engine: T1Reader | None = data.Engine
    if engine is None or not data.WaitForReply:
        return NTSTATUS.DEVICE_PROTOCOL_ERROR
    raw = bytes(reply.Buffer[: reply.BufferLength]) or None
    data.LastError = _error_of(raw, crc=engine.crc)
    try:
        block = engine.receive(raw)
    except T1Error:
        data.WaitForReply = False
        if engine.broken:
            data.Engine, data.State = None, T1_INIT
        return NTSTATUS.DEVICE_PROTOCOL_ERROR
    _show(ext, engine)
    if block is not None:
        return NTSTATUS.MORE_PROCESSING_REQUIRED
    data.WaitForReply = False
    data.ReplyData = engine.response
    return put_reply(ext, engine.response)


def _engine(ext: SMARTCARD_EXTENSION) -> _Engine:
    """Return the state machine of the card in the reader, a new one after each reset."""
    data = ext.T1
    if data.Engine is None:
        caps = ext.CardCapabilities.T1
        suppress = ext.VendorAttributes.get(Attr.SUPRESS_T1_IFS_REQUEST, b"")
        data.Engine = _Engine(
            ifsc=caps.IFSC,
            ifsd=min(ext.ReaderCapabilities.MaxIFSD, T1_IFSD),
            crc=bool(caps.EDC),
            nad=data.NAD,
            retries=T1_MAX_RETRIES,
            ifs_request=not any(suppress),
        )
        data.WaitForReply = False
    engine: _Engine = data.Engine
    return engine


def _show(ext: SMARTCARD_EXTENSION, engine: T1Reader) -> None:
    """Show the engine's state in T1_DATA."""
    data: T1_DATA = ext.T1
    data.IFSC, data.IFSD = engine.ifsc, engine.ifsd
    data.SSN, data.RSN = engine.ns, engine.nr
    data.Wtx = engine.wtx if engine.wtx > 1 else 0
    sent = engine.sent
    data.MoreData = sent.more
    data.InfBytesSent = len(sent.inf) if sent.is_i else data.InfBytesSent
    data.BytesSent, data.BytesReceived = engine.bytes_sent, engine.bytes_received
    data.Resend = engine.failures
    if engine.phase is Phase.RESYNCH:
        data.Resynch += data.State != T1_RESTART
        data.OriginalState = data.OriginalState if data.State == T1_RESTART else data.State
        data.State = T1_RESTART
    elif engine.phase is Phase.NEGOTIATE:
        data.State = T1_START
    else:
        data.State = T1_R_BLOCK if sent.is_r else T1_I_BLOCK


def _error_of(raw: bytes | None, *, crc: bool) -> int:
    """Return T1_ERROR_* for the block just received, 0 for a good one."""
    if raw is None:
        return T1_ERROR_OTHER
    try:
        Block.parse(raw, crc=crc)
    except BlockError as error:
        return error.code
    return 0
