# SPDX-License-Identifier: Apache-2.0
"""SmartcardT0Request/Reply, SmartcardRawRequest/RawReply, SmartcardInvertData (1998 DDK).

What a driver for plain hardware calls in RDF_TRANSMIT: the request routine copies the command out
of ``IoRequest`` into ``SmartcardRequest``, the driver sends it and puts what comes into
``SmartcardReply``, the reply routine copies it back. They frame and copy, no more: 61xx and 6Cxx
reach the caller as they are.

``SmartcardRequest.BufferLength`` may be set before a request, to keep that many bytes in front free
for the driver's own header; afterwards it is the length of the whole.
"""

from vreader.smclib.ioctl import IO_REQUEST, IO_REQUEST_SIZE
from vreader.smclib.structs import SMARTCARD_EXTENSION, SMARTCARD_REQUEST
from vreader.wdm import NTSTATUS

SCARD_T0_CMD_LENGTH = 5
SCARD_T0_HEADER_LENGTH = 7  # with SW1 SW2
_STATUS_LENGTH = 2
_TURNED = bytes(int(f"{byte ^ 0xFF:08b}"[::-1], 2) for byte in range(256))


def SmartcardInvertData(Buffer: bytearray) -> None:
    """Turn inverse convention into direct, or back, in place (ISO/IEC 7816-3 §8.1)."""
    Buffer[:] = Buffer.translate(_TURNED)


def SmartcardT0Request(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Put the command TPDU into SmartcardRequest, its lengths into T0.Lc and T0.Le.

    A four-byte command gets P3=00. Le behind command data has no place in T=0 and is left out.

    Returns:
        STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW: SmartcardRequest is too small;
        STATUS_BUFFER_TOO_SMALL: the caller's buffer cannot hold Le bytes and the status word;
        STATUS_INVALID_PARAMETER: Lc does not tell how much data there is.
    """
    command = request_data(ext)
    lc = le = 0
    if len(command) > SCARD_T0_CMD_LENGTH:
        lc = command[4]
        if not lc or len(command) - SCARD_T0_CMD_LENGTH - lc not in (0, 1):
            return NTSTATUS.INVALID_PARAMETER
        command = command[: SCARD_T0_CMD_LENGTH + lc]
    elif len(command) == SCARD_T0_CMD_LENGTH:
        le = command[4] or 256
    elif len(command) == SCARD_T0_CMD_LENGTH - 1:
        command += b"\0"
    else:
        return NTSTATUS.INVALID_PARAMETER
    if ext.IoRequest.ReplyBufferLength < IO_REQUEST_SIZE + le + _STATUS_LENGTH:
        return NTSTATUS.BUFFER_TOO_SMALL
    if not put(ext.SmartcardRequest, command):
        return NTSTATUS.BUFFER_OVERFLOW
    ext.T0.Lc, ext.T0.Le = lc, le
    return NTSTATUS.SUCCESS


def SmartcardT0Reply(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Copy SmartcardReply to the caller.

    Returns:
        STATUS_SUCCESS; STATUS_DEVICE_PROTOCOL_ERROR: there is no status word;
        STATUS_BUFFER_TOO_SMALL: the caller's buffer cannot hold it.
    """
    if ext.SmartcardReply.BufferLength < _STATUS_LENGTH:
        return NTSTATUS.DEVICE_PROTOCOL_ERROR
    return SmartcardRawReply(ext)


def SmartcardRawRequest(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Put the caller's bytes into SmartcardRequest, whatever they are.

    Returns:
        STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW: SmartcardRequest is too small;
        STATUS_BUFFER_TOO_SMALL: the caller's buffer cannot even hold the reply's header.
    """
    if ext.IoRequest.ReplyBufferLength < IO_REQUEST_SIZE:
        return NTSTATUS.BUFFER_TOO_SMALL
    if not put(ext.SmartcardRequest, request_data(ext)):
        return NTSTATUS.BUFFER_OVERFLOW
    return NTSTATUS.SUCCESS


def SmartcardRawReply(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Copy SmartcardReply to the caller; STATUS_BUFFER_TOO_SMALL where it does not fit."""
    reply = ext.SmartcardReply
    return put_reply(ext, bytes(reply.Buffer[: reply.BufferLength]))


# ------------------------------------------------------------------ shared with T=1


def request_data(ext: SMARTCARD_EXTENSION) -> bytes:
    """Return what stands behind the request's SCARD_IO_REQUEST."""
    request = ext.IoRequest
    _protocol, start = IO_REQUEST.unpack_from(request.RequestBuffer)
    return bytes(request.RequestBuffer[start : request.RequestBufferLength])


def put(buffer: SMARTCARD_REQUEST, data: bytes) -> bool:
    """Append ``data`` to what the driver has reserved; False where it does not fit."""
    end = buffer.BufferLength + len(data)
    if end > buffer.BufferSize:
        return False
    buffer.Buffer[buffer.BufferLength : end] = data
    buffer.BufferLength = end
    return True


def put_reply(ext: SMARTCARD_EXTENSION, data: bytes) -> NTSTATUS:
    """Answer the caller: SCARD_IO_REQUEST and ``data``; STATUS_BUFFER_TOO_SMALL."""
    request = ext.IoRequest
    end = IO_REQUEST_SIZE + len(data)
    if end > request.ReplyBufferLength:
        return NTSTATUS.BUFFER_TOO_SMALL
    # dwProtocol stays; cbPciLength is that of the reply's own header.
    request.ReplyBuffer[4:IO_REQUEST_SIZE] = IO_REQUEST_SIZE.to_bytes(4, "little")
    request.ReplyBuffer[IO_REQUEST_SIZE:end] = data
    request.Information = end
    return NTSTATUS.SUCCESS
