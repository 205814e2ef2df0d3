# SPDX-License-Identifier: Apache-2.0
"""Yubico's PIV commands as types, and their reading from C-APDUs.

The only place that knows P1, P2 and Lc of these commands.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cards.piv.commands import read_policies
from cards.piv.tables import (
    ATTESTATION,
    KNOWN_ALGORITHMS,
    MANAGEMENT,
    SYMMETRIC,
    USER_SLOTS,
    Algorithm,
    Policies,
    TouchPolicy,
)
from cards.platform.parsing import read_tlvs, require
from vreader.iso7816 import SW, CommandApdu


class GetVersion(NamedTuple):
    """GET VERSION (FD): three bytes."""


class GetSerial(NamedTuple):
    """GET SERIAL (F8): four bytes."""


class GetMetadata(NamedTuple):
    """GET METADATA (F7) of a key, PIN, PUK or the management key."""

    ref: int


class SetManagementKey(NamedTuple):
    """SET MANAGEMENT KEY (FF)."""

    algorithm: Algorithm
    key: bytes
    touch_policy: TouchPolicy

    def __repr__(self) -> str:
        return "SetManagementKey(…)"


class ImportKey(NamedTuple):
    """IMPORT ASYMMETRIC KEY (FE): 01…05 an RSA key in CRT form, 06 an EC scalar."""

    slot: int
    algorithm: Algorithm
    elements: Mapping[int, bytes]
    policies: Policies

    def __repr__(self) -> str:
        return "ImportKey(…)"


class MoveKey(NamedTuple):
    """MOVE KEY (F6), firmware 5.7: to an empty slot, or nowhere, which deletes it."""

    source: int
    target: int | None


class Attest(NamedTuple):
    """ATTEST (F9): a certificate that the key of a slot was generated on this card."""

    slot: int


class ResetCard(NamedTuple):
    """RESET (FB): wipe a card whose PIN and PUK are both blocked."""


class SetPinRetries(NamedTuple):
    """SET PIN RETRIES (FA): new limits, and default values for PIN and PUK."""

    pin_tries: int
    puk_tries: int


YubicoCommand = (
    GetVersion
    | GetSerial
    | GetMetadata
    | SetManagementKey
    | ImportKey
    | MoveKey
    | Attest
    | ResetCard
    | SetPinRetries
)

_NOWHERE = 0xFF
_TOUCH_OF_P2 = {0xFF: TouchPolicy.NEVER, 0xFE: TouchPolicy.ALWAYS, 0xFD: TouchPolicy.CACHED}


def _bare(apdu: CommandApdu) -> None:
    """Refuse parameters and data of a command that has none."""
    require(apdu.p1 == 0 and apdu.p2 == 0, SW.INCORRECT_P1P2)
    require(not apdu.data, SW.WRONG_LENGTH)


def _get_version(apdu: CommandApdu) -> GetVersion:
    _bare(apdu)
    return GetVersion()


def _get_serial(apdu: CommandApdu) -> GetSerial:
    _bare(apdu)
    return GetSerial()


def _reset(apdu: CommandApdu) -> ResetCard:
    _bare(apdu)
    return ResetCard()


def _get_metadata(apdu: CommandApdu) -> GetMetadata:
    require(apdu.p1 == 0, SW.INCORRECT_P1P2)
    require(not apdu.data, SW.WRONG_LENGTH)
    return GetMetadata(apdu.p2)


def _attest(apdu: CommandApdu) -> Attest:
    require(apdu.p2 == 0 and apdu.p1 in USER_SLOTS, SW.INCORRECT_P1P2)
    require(not apdu.data, SW.WRONG_LENGTH)
    return Attest(apdu.p1)


def _move(apdu: CommandApdu) -> MoveKey:
    target, source = apdu.p1, apdu.p2
    require(not apdu.data, SW.WRONG_LENGTH)
    if target == _NOWHERE:
        require(source in (*USER_SLOTS, ATTESTATION), SW.INCORRECT_P1P2)
        return MoveKey(source, None)
    known = target in USER_SLOTS and source in USER_SLOTS and target != source
    require(known, SW.INCORRECT_P1P2)
    return MoveKey(source, target)


def _set_pin_retries(apdu: CommandApdu) -> SetPinRetries:
    require(apdu.p1 > 0 and apdu.p2 > 0, SW.INCORRECT_P1P2)
    require(not apdu.data, SW.WRONG_LENGTH)
    return SetPinRetries(apdu.p1, apdu.p2)


def _set_management_key(apdu: CommandApdu) -> SetManagementKey:
    require(apdu.p1 == 0xFF and apdu.p2 in _TOUCH_OF_P2, SW.INCORRECT_P1P2)
    data = apdu.data
    require(len(data) >= 3 and data[0] in SYMMETRIC and data[1] == MANAGEMENT, SW.WRONG_DATA)
    length = SYMMETRIC[Algorithm(data[0])][0]
    require(data[2] == length and len(data) == 3 + length, SW.WRONG_DATA)
    return SetManagementKey(Algorithm(data[0]), data[3:], _TOUCH_OF_P2[apdu.p2])


def _import_key(apdu: CommandApdu) -> ImportKey:
    require(apdu.p2 in (*USER_SLOTS, ATTESTATION), SW.INCORRECT_P1P2)
    require(apdu.p1 in KNOWN_ALGORITHMS, SW.INCORRECT_P1P2)
    found = read_tlvs(apdu.data)
    policies = read_policies(found)
    return ImportKey(apdu.p2, Algorithm(apdu.p1), found, policies)


PARSERS: dict[int, Callable[[CommandApdu], YubicoCommand]] = {
    0xF6: _move,
    0xF7: _get_metadata,
    0xF8: _get_serial,
    0xF9: _attest,
    0xFA: _set_pin_retries,
    0xFB: _reset,
    0xFD: _get_version,
    0xFE: _import_key,
    0xFF: _set_management_key,
}
# The firmware that has a command first; every other one is as old as the application.
_SINCE = {0xF6: (5, 7, 0), 0xF7: (5, 3, 0), 0xF8: (5, 0, 3), 0xF9: (4, 3, 0)}


def find_parser(
    ins: int, version: tuple[int, int, int]
) -> Callable[[CommandApdu], YubicoCommand] | None:
    """Return how firmware ``version`` reads a command, or None when it has no such command."""
    return PARSERS.get(ins) if version >= _SINCE.get(ins, version) else None
