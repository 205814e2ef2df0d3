# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest

from vreader.bridge.pyscard.numbers import Numbers
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import INFINITE, SCARD, Win32

COMMON = {"SCARD_PROTOCOL_T0": 1, "SCARD_PROTOCOL_T1": 2, "SCARD_PROTOCOL_UNDEFINED": 0}
LINUX = SimpleNamespace(
    **COMMON,
    SCARD_PROTOCOL_RAW=4,
    SCARD_F_INTERNAL_ERROR=0x80100001,
    SCARD_E_UNSUPPORTED_FEATURE=0x8010001F,
)
WINDOWS = SimpleNamespace(
    **COMMON, SCARD_PROTOCOL_RAW=0x10000, SCARD_F_INTERNAL_ERROR=0x80100001 - (1 << 32)
)


@pytest.mark.parametrize(
    ("native", "code", "number"),
    [
        (LINUX, SCARD.E_TIMEOUT, 0x8010000A),
        (LINUX, SCARD.E_UNSUPPORTED_FEATURE, 0x8010001F),
        (LINUX, Win32.NOT_SUPPORTED, 50),
        (WINDOWS, SCARD.S_SUCCESS, 0),
        (WINDOWS, SCARD.E_TIMEOUT, -0x7FEFFFF6),
        (WINDOWS, Win32.NOT_SUPPORTED, 50),
    ],
)
def test_codes(native, code, number):
    assert Numbers(native).code(code) == number


@pytest.mark.parametrize(("native", "raw", "state"), [(LINUX, 4, 0x70034), (WINDOWS, 0x10000, 6)])
def test_protocols_and_states(native, raw, state):
    numbers = Numbers(native)
    assert numbers.protocols_in(raw | 1) == Protocol.RAW | Protocol.T0
    assert numbers.protocols_out(Protocol.RAW) == raw
    assert numbers.headers[raw] is Protocol.RAW
    assert numbers.state(CardState.SPECIFIC, 0x70122) == state


def test_pyscards_infinite_is_without_end():
    assert Numbers.timeout(0x7FFFFFFF) == INFINITE
    assert Numbers.timeout(0x7FFFFFFE) == 0x7FFFFFFE
