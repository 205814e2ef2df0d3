# SPDX-License-Identifier: Apache-2.0
"""A program of its own that makes the calls it is told to on the real libpcsclite.

One JSON line in per call, ``[number, name, arguments]``; one out when it returns, ``[number, rv,
value]``, each call on its own thread so that SCardCancel can follow SCardGetStatusChange. Byte
strings travel as hex. Runs isolated; ``PCSCLITE_CSOCK_NAME`` says where.
"""

import ctypes
import json
import sys
import threading
from ctypes import byref, c_char_p, c_long, c_ubyte, c_ulong, c_void_p

DWORD = c_ulong
lite = ctypes.CDLL("libpcsclite.so.1")
output = threading.Lock()


class IoRequest(ctypes.Structure):
    _fields_ = [("dwProtocol", DWORD), ("cbPciLength", DWORD)]


class ReaderState(ctypes.Structure):
    _fields_ = [
        ("szReader", c_char_p),
        ("pvUserData", c_void_p),
        ("dwCurrentState", DWORD),
        ("dwEventState", DWORD),
        ("cbAtr", DWORD),
        ("rgbAtr", c_ubyte * 33),
    ]


def call(name, *arguments):
    return getattr(lite, name)(*arguments) & 0xFFFFFFFF


for function in ("SCardEstablishContext", "SCardConnect", "SCardTransmit", "SCardStatus"):
    getattr(lite, function).restype = c_long


def establish():
    context = c_long()
    rv = call("SCardEstablishContext", DWORD(2), None, None, byref(context))
    return rv, context.value


def release(context):
    return call("SCardReleaseContext", c_long(context)), None


def readers(context):
    length = DWORD(8192)
    buffer = ctypes.create_string_buffer(length.value)
    rv = call("SCardListReaders", c_long(context), None, buffer, byref(length))
    return rv, [name.decode() for name in buffer.raw[: length.value].split(b"\0") if name]


def connect(context, reader, share, protocols):
    handle, active = c_long(), DWORD()
    rv = call(
        "SCardConnect", c_long(context), reader.encode(), DWORD(share), DWORD(protocols),
        byref(handle), byref(active),
    )  # fmt: skip
    return rv, [handle.value, active.value]


def reconnect(handle, share, protocols, initialization):
    active = DWORD()
    rv = call(
        "SCardReconnect", c_long(handle), DWORD(share), DWORD(protocols), DWORD(initialization),
        byref(active),
    )  # fmt: skip
    return rv, active.value


def disconnect(handle, disposition):
    return call("SCardDisconnect", c_long(handle), DWORD(disposition)), None


def begin(handle):
    return call("SCardBeginTransaction", c_long(handle)), None


def end(handle, disposition):
    return call("SCardEndTransaction", c_long(handle), DWORD(disposition)), None


def transmit(handle, protocol, apdu, room):
    pci = IoRequest(protocol, ctypes.sizeof(IoRequest))
    command = bytes.fromhex(apdu)
    reply, length = ctypes.create_string_buffer(max(room, 1)), DWORD(room)
    rv = call(
        "SCardTransmit", c_long(handle), byref(pci), command, DWORD(len(command)), None,
        reply, byref(length),
    )  # fmt: skip
    return rv, reply.raw[: length.value].hex() if not rv else ""


def status(handle):
    name, atr = ctypes.create_string_buffer(128), ctypes.create_string_buffer(33)
    name_length, atr_length, state, protocol = DWORD(128), DWORD(33), DWORD(), DWORD()
    rv = call(
        "SCardStatus", c_long(handle), name, byref(name_length), byref(state), byref(protocol),
        atr, byref(atr_length),
    )  # fmt: skip
    value = [name.value.decode(), state.value, protocol.value, atr.raw[: atr_length.value].hex()]
    return rv, value


def control(handle, code, data, room):
    command, reply, length = bytes.fromhex(data), ctypes.create_string_buffer(room or 1), DWORD()
    rv = call(
        "SCardControl", c_long(handle), DWORD(code), command, DWORD(len(command)), reply,
        DWORD(room), byref(length),
    )  # fmt: skip
    return rv, reply.raw[: length.value].hex() if not rv else ""


def get_attrib(handle, tag):
    value, length = ctypes.create_string_buffer(264), DWORD(264)
    rv = call("SCardGetAttrib", c_long(handle), DWORD(tag), value, byref(length))
    return rv, value.raw[: length.value].hex() if not rv else ""


def set_attrib(handle, tag, value):
    data = bytes.fromhex(value)
    return call("SCardSetAttrib", c_long(handle), DWORD(tag), data, DWORD(len(data))), None


def status_change(context, timeout_ms, asked):
    states = (ReaderState * max(len(asked), 1))()
    for state, (reader, current) in zip(states, asked, strict=False):
        state.szReader, state.dwCurrentState = reader.encode(), current
    rv = call("SCardGetStatusChange", c_long(context), DWORD(timeout_ms), states, DWORD(len(asked)))
    found = [[s.dwEventState, bytes(s.rgbAtr[: s.cbAtr]).hex()] for s in states[: len(asked)]]
    return rv, found


def cancel(context):
    return call("SCardCancel", c_long(context)), None


def answer(number, name, arguments):
    rv, value = globals()[name](*arguments)
    with output:
        print(json.dumps([number, rv, value]), flush=True)


for line in sys.stdin:
    threading.Thread(target=answer, args=json.loads(line), daemon=True).start()
