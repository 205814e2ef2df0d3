# SPDX-License-Identifier: Apache-2.0
"""Numbers of winsmcrd.h, against numbers written down here."""

import pytest

from vreader.smclib.ioctl import (
    IO_REQUEST_SIZE,
    MAXIMUM_ATTR_STRING_LENGTH,
    SCARD_CTL_CODE,
    Characteristics,
    Ioctl,
    Power,
    Protocol,
    ReaderType,
)


@pytest.mark.wdk("attribute.reader-types")
def test_reader_types():
    assert {kind.name: kind.value for kind in ReaderType.__members__.values()} == {
        "SERIAL": 1,
        "PARALLEL": 2,
        "KEYBOARD": 4,
        "SCSI": 8,
        "IDE": 0x10,
        "USB": 0x20,
        "PCMCIA": 0x40,
        "TPM": 0x80,
        "VENDOR": 0xF0,
        "NFC": 0x100,
        "UICC": 0x200,
        "NGC": 0x400,
        "EMBEDDEDSE": 0x800,
    }


@pytest.mark.wdk("attribute.protocol-bits")
def test_protocol_bits():
    members = {name: int(value) for name, value in Protocol.__members__.items()}
    assert members.items() >= {
        "UNDEFINED": 0, "T0": 1, "T1": 2, "RAW": 0x10000, "DEFAULT": 0x80000000
    }.items()  # fmt: skip
    assert Protocol.T0 | Protocol.T1 == 3


@pytest.mark.wdk("attribute.characteristics")
def test_characteristics():
    bits = (Characteristics.SWALLOWS, Characteristics.EJECTS, Characteristics.CONFISCATES)
    assert [*bits, Characteristics.CONTACTLESS] == [1, 2, 4, 8]


@pytest.mark.wdk("callback.card-power.down", "callback.card-power.cold", "callback.card-power.warm")
def test_power_minors():
    assert [Power.POWER_DOWN, Power.COLD_RESET, Power.WARM_RESET] == [0, 1, 2]


@pytest.mark.wdk("ioctl.code.vendor-range", "ioctl.code")
@pytest.mark.parametrize(
    ("function", "code"), [(1, 0x00310004), (2048, 0x00312000), (4095, 0x00313FFC)]
)
def test_a_control_code_is_device_type_and_function(function, code):
    assert SCARD_CTL_CODE(function) == code


@pytest.mark.wdk(
    "ioctl.code",
    "ioctl.code.power",
    "ioctl.code.get-attribute",
    "ioctl.code.set-attribute",
    "ioctl.code.confiscate",
    "ioctl.code.transmit",
    "ioctl.code.eject",
    "ioctl.code.swallow",
    "ioctl.code.is-present",
    "ioctl.code.is-absent",
    "ioctl.code.set-protocol",
    "ioctl.code.get-state",
    "ioctl.code.get-last-error",
    "ioctl.code.get-perf-cntr",
    "ioctl.code.feature-request",
)
def test_the_codes_are_those_of_winsmcrd_h():
    assert {code: code.name for code in Ioctl} == {
        0x00310004: "SMARTCARD_POWER",
        0x00310008: "SMARTCARD_GET_ATTRIBUTE",
        0x0031000C: "SMARTCARD_SET_ATTRIBUTE",
        0x00310010: "SMARTCARD_CONFISCATE",
        0x00310014: "SMARTCARD_TRANSMIT",
        0x00310018: "SMARTCARD_EJECT",
        0x0031001C: "SMARTCARD_SWALLOW",
        0x00310028: "SMARTCARD_IS_PRESENT",
        0x0031002C: "SMARTCARD_IS_ABSENT",
        0x00310030: "SMARTCARD_SET_PROTOCOL",
        0x00310038: "SMARTCARD_GET_STATE",
        0x0031003C: "SMARTCARD_GET_LAST_ERROR",
        0x00310040: "SMARTCARD_GET_PERF_CNTR",
    }
    assert SCARD_CTL_CODE(3400) == 0x00313520


@pytest.mark.wdk("ioctl.code.retired")
def test_retired_functions_have_no_name():
    assert not {SCARD_CTL_CODE(function) for function in (8, 9, 13)} & {*Ioctl}


@pytest.mark.wdk("name.attribute-string", "ioctl.transmit.data")
def test_sizes():
    assert MAXIMUM_ATTR_STRING_LENGTH == 32
    assert IO_REQUEST_SIZE == 8
