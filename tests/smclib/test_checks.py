# SPDX-License-Identifier: Apache-2.0
"""The checks before a callback: the buffers of each request, then the state, in this order."""

import pytest

from vreader.smclib.ioctl import Ioctl
from vreader.smclib.profile import CONTACT, NFC
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS

POWER, TRANSMIT = Ioctl.SMARTCARD_POWER, Ioctl.SMARTCARD_TRANSMIT
SET_PROTOCOL, GET_STATE = Ioctl.SMARTCARD_SET_PROTOCOL, Ioctl.SMARTCARD_GET_STATE
IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
EJECT, SWALLOW = Ioctl.SMARTCARD_EJECT, Ioctl.SMARTCARD_SWALLOW
CONFISCATE = Ioctl.SMARTCARD_CONFISCATE

T1_ATR = bytes.fromhex("3B80800101")
NO_CARD = NTSTATUS.NO_MEDIA
HEADER = bytes.fromhex("02000000 08000000")
SELECT = bytes.fromhex("00A4040009A00000030800001000 00")


def u32(value):
    return value.to_bytes(4, "little")


# Each row: code, input, output length, status in ABSENT / SWALLOWED / NEGOTIABLE / SPECIFIC.

S, BAD = NTSTATUS.SUCCESS, NTSTATUS.INVALID_PARAMETER
SMALL, STATE = NTSTATUS.BUFFER_TOO_SMALL, NTSTATUS.INVALID_DEVICE_STATE
NOT_OFFERED = NTSTATUS.NOT_SUPPORTED
REQUEST = NTSTATUS.INVALID_DEVICE_REQUEST
STATES = (CardState.ABSENT, CardState.SWALLOWED, CardState.NEGOTIABLE, CardState.SPECIFIC)

CONTACT_ROWS = [
    ("power without input", POWER, b"", 33, BAD, BAD, BAD, BAD),
    ("power, 3 bytes", POWER, b"\1\0\0", 33, BAD, BAD, BAD, BAD),
    ("power, 5 bytes", POWER, b"\1\0\0\0\0", 33, BAD, BAD, BAD, BAD),
    ("power, unknown minor", POWER, u32(3), 0, REQUEST, REQUEST, REQUEST, REQUEST),
    ("cold reset, 32 bytes", POWER, u32(1), 32, SMALL, SMALL, SMALL, SMALL),
    ("warm reset, 32 bytes", POWER, u32(2), 32, SMALL, SMALL, SMALL, SMALL),
    ("cold reset", POWER, u32(1), 33, NO_CARD, S, S, S),
    ("warm reset", POWER, u32(2), 33, NO_CARD, S, S, S),
    ("power down, no output", POWER, u32(0), 0, NO_CARD, S, S, S),
    ("protocol without input", SET_PROTOCOL, b"", 4, BAD, BAD, BAD, BAD),
    ("protocol, 5 bytes", SET_PROTOCOL, b"\3\0\0\0\0", 4, BAD, BAD, BAD, BAD),
    ("protocol, 3 bytes out", SET_PROTOCOL, u32(3), 3, SMALL, SMALL, SMALL, SMALL),
    ("protocol T0|T1", SET_PROTOCOL, u32(3), 4, NO_CARD, STATE, S, S),
    ("protocol OPTIMAL", SET_PROTOCOL, u32(0), 4, NO_CARD, STATE, S, S),
    ("protocol DEFAULT", SET_PROTOCOL, u32(0x80000000), 4, NO_CARD, STATE, S, S),
    ("protocol RAW", SET_PROTOCOL, u32(0x10000), 4, NO_CARD, STATE, NOT_OFFERED, NOT_OFFERED),
    ("no known protocol", SET_PROTOCOL, u32(0x40), 4, NO_CARD, STATE, REQUEST, REQUEST),
    ("DEFAULT and rubbish", SET_PROTOCOL, u32(0x80000040), 4, NO_CARD, STATE, REQUEST, REQUEST),
    ("transmit without input", TRANSMIT, b"", 258, BAD, BAD, BAD, BAD),
    ("transmit, 7 bytes", TRANSMIT, HEADER[:7], 258, BAD, BAD, BAD, BAD),
    ("transmit, 9 bytes out", TRANSMIT, HEADER + SELECT, 9, SMALL, SMALL, SMALL, SMALL),
    ("transmit, header too short", TRANSMIT, u32(2) + u32(7) + SELECT, 258, BAD, BAD, BAD, BAD),
    ("transmit, header too long", TRANSMIT, u32(2) + u32(13) + SELECT[:4], 258, BAD, BAD, BAD, BAD),
    ("transmit", TRANSMIT, HEADER + SELECT, 258, NO_CARD, STATE, STATE, S),
    ("transmit, T=0", TRANSMIT, u32(1) + u32(8) + SELECT, 258, NO_CARD, STATE, STATE, STATE),
    ("state, 3 bytes out", GET_STATE, b"", 3, SMALL, SMALL, SMALL, SMALL),
    ("state", GET_STATE, b"", 4, S, S, S, S),
    ("last error, 3 bytes out", Ioctl.SMARTCARD_GET_LAST_ERROR, b"", 3, SMALL, SMALL, SMALL, SMALL),
    ("last error", Ioctl.SMARTCARD_GET_LAST_ERROR, b"", 4, S, S, S, S),
    ("counters, 11 bytes out", Ioctl.SMARTCARD_GET_PERF_CNTR, b"", 11, SMALL, SMALL, SMALL, SMALL),
    ("counters", Ioctl.SMARTCARD_GET_PERF_CNTR, b"", 12, S, S, S, S),
    ("attribute without input", Ioctl.SMARTCARD_GET_ATTRIBUTE, b"", 4, BAD, BAD, BAD, BAD),
    ("attribute, 5 bytes", Ioctl.SMARTCARD_GET_ATTRIBUTE, b"\0\0\0\0\0", 4, BAD, BAD, BAD, BAD),
    ("set attribute, 3 bytes", Ioctl.SMARTCARD_SET_ATTRIBUTE, b"\0\0\0", 0, BAD, BAD, BAD, BAD),
    ("eject", EJECT, b"", 0, NO_CARD, S, S, S),
    ("swallow", SWALLOW, b"", 0, NO_CARD, S, S, S),
    ("confiscate", CONFISCATE, b"", 0, NO_CARD, S, S, S),
]  # fmt: skip

NFC_ROWS = [
    ("power, unknown minor", POWER, u32(3), 0, BAD, BAD, None, BAD),
    ("cold reset, real ATR length", POWER, u32(1), 5, NO_CARD, S, None, S),
    ("cold reset, one byte less", POWER, u32(1), 4, NO_CARD, SMALL, None, SMALL),
    ("protocol, 3 bytes out", SET_PROTOCOL, u32(3), 3, BAD, BAD, None, BAD),
    ("transmit, 9 bytes out", TRANSMIT, HEADER + SELECT, 9, BAD, BAD, None, BAD),
    ("transmit", TRANSMIT, HEADER + SELECT, 258, NO_CARD, STATE, None, S),
    ("state, 3 bytes out", GET_STATE, b"", 3, BAD, BAD, None, BAD),
    ("present with input", IS_PRESENT, b"\0", 0, BAD, BAD, None, BAD),
    ("absent with output", IS_ABSENT, b"", 1, BAD, BAD, None, BAD),
]


def rows(table, profile):
    for name, code, data, out, *statuses in table:
        for state, status in zip(STATES, statuses, strict=True):
            if status is not None:
                label = f"{profile.name}: {name} in {state.name}"
                yield pytest.param(profile, code, data, out, state, status, id=label)


@pytest.mark.wdk(
    "check.order.buffers",
    "check.order.state",
    "check.power.order",
    "check.set-protocol.order",
    "check.transmit.order",
    "check.transmit.protocol",
    "check.get-state.order",
    "ioctl.power.input",
    "ioctl.power.unknown-minor",
    "ioctl.power.short-buffer",
    "ioctl.power.no-media",
    "ioctl.set-protocol.buffers",
    "ioctl.set-protocol.no-media",
    "ioctl.set-protocol.invalid-state",
    "ioctl.set-protocol.invalid-request",
    "ioctl.transmit.input",
    "ioctl.transmit.pci-length",
    "ioctl.transmit.short-buffer",
    "ioctl.transmit.no-media",
    "ioctl.transmit.invalid-state",
    "ioctl.get-state.short-buffer",
    "ioctl.get-attribute.input",
    "ioctl.set-attribute.input",
    "ioctl.is-present.buffers",
    "ioctl.eject.success",
    "ioctl.eject.no-media",
    "ioctl.swallow.success",
    "ioctl.swallow.no-media",
    "ioctl.confiscate",
    "callback.bad-parameters",
    "callback.set-protocol.no-media",
    "callback.set-protocol.invalid-state",
    "callback.set-protocol.invalid-request",
    "callback.set-protocol.buffer-too-small",
    "callback.card-power.no-media",
    "transition.unpowered.card-operation",
    "transition.no-card-first",
    "state.refusal",
)
@pytest.mark.parametrize(
    ("profile", "code", "data", "out", "state", "status"),
    [*rows(CONTACT_ROWS, CONTACT), *rows(NFC_ROWS, NFC)],
)
def test_each_request_in_each_state(make_bench, profile, code, data, out, state, status):
    bench = make_bench(profile)
    for index in (RDF.CARD_EJECT, RDF.READER_SWALLOW, RDF.CARD_CONFISCATE):
        bench.ext.ReaderFunction[index] = lambda ext: NTSTATUS.SUCCESS
    if profile is NFC:
        bench.ext.ReaderFunction[RDF.CARD_POWER] = lambda ext: (
            NTSTATUS.BUFFER_TOO_SMALL
            if ext.IoRequest.ReplyBufferLength < len(T1_ATR)
            else bench.card_power(ext)
        )
        bench.reach(min(state, CardState.SWALLOWED))
        if state is CardState.SPECIFIC:
            assert bench.power()[0] is S
            bench.calls.clear()
    else:
        bench.reach(state)
    assert bench.state is state
    before = bench.state
    answer, output = bench.ioctl(code, data, out)
    assert answer is status
    if status is not S:
        assert output == b""
        assert bench.state is before
        assert bench.calls == []  # a refused request reaches no callback


@pytest.mark.wdk("ioctl.is-present.buffers")
def test_contact_readers_ignore_buffers_of_tracking_requests(bench):
    assert bench.ioctl(IS_ABSENT, b"rubbish", 4) == (NTSTATUS.SUCCESS, b"")


@pytest.mark.wdk("ioctl.transmit.pci-length")
def test_the_apdu_starts_where_the_header_says(bench):
    bench.reach(CardState.SPECIFIC)
    bench.ioctl(TRANSMIT, u32(2) + u32(12) + b"NAD!" + SELECT, 258)
    assert bench.calls == [("transmit", SELECT)]
