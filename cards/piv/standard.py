# SPDX-License-Identifier: Apache-2.0
"""What the commands of SP 800-73-5 part 2 do, GENERAL AUTHENTICATE excepted.

The rights to do it were checked by :mod:`cards.piv.applet`.
"""

from cards.piv import commands as std
from cards.piv import pins
from cards.piv.discovery import DEFAULT_DISCOVERY, PinUsagePolicy
from cards.piv.keys import KeyRecord, Origin, generate
from cards.piv.state import PivState
from cards.piv.tables import (
    ATTESTATION,
    ATTESTATION_CERTIFICATE,
    DEFAULT_POLICIES,
    DISCOVERY,
    OBJECTS,
    OWN_TAGS,
)
from cards.piv.yubico import ensure_attestation_key
from cards.platform import Refuse
from cards.platform.parsing import require
from vreader.iso7816 import SW, Tlv

Command = (
    std.GetData
    | std.PutData
    | std.VerifyStatus
    | std.VerifyPin
    | std.Logout
    | std.ChangeReferenceData
    | std.ResetRetryCounter
    | std.GenerateKey
)


def execute(state: PivState, command: Command) -> bytes:
    """Carry out one command and return its response data; raises Refuse."""
    match command:
        case std.GetData(tag):
            return _get_data(state, tag)
        case std.PutData():
            _put_data(state, command)
        case (
            std.VerifyStatus()
            | std.VerifyPin()
            | std.Logout()
            | std.ChangeReferenceData()
            | std.ResetRetryCounter()
        ):
            pins.execute(state, command)
        case std.GenerateKey():
            return _generate(state, command)
    return b""


def _knows_object(state: PivState, tag: int) -> bool:
    """Tell whether the profile has such a data object, whatever its content."""
    known = OBJECTS.get(tag)
    if known is not None and known.standard:
        return True
    # A YubiKey stores anything under a three-byte tag that starts with 5F.
    return state.profile.yubico and 0x5F0000 <= tag <= 0x5FFFFF


def _get_data(state: PivState, tag: int) -> bytes:
    if tag == ATTESTATION_CERTIFICATE and state.profile.yubico:
        ensure_attestation_key(state)
    value = state.object(tag) if _knows_object(state, tag) else None
    if value is None and tag == DISCOVERY:
        return DEFAULT_DISCOVERY
    if value is None:
        raise Refuse(SW.FILE_NOT_FOUND)
    return bytes(Tlv(tag if tag == DISCOVERY or _own_tag(state, tag) else 0x53, value))


def _own_tag(state: PivState, tag: int) -> bool:
    """Tell whether an object is moved in its own tag; clients of YubiKeys know 7E alone."""
    return tag in OWN_TAGS and not state.profile.yubico


def _put_data(state: PivState, command: std.PutData) -> None:
    tag, value = command.tag, command.value
    require(_knows_object(state, tag), SW.FILE_NOT_FOUND)
    # The discovery object of a YubiKey says what it is, and cannot be written.
    require(tag != DISCOVERY or not state.profile.yubico, SW.FILE_NOT_FOUND)
    require(command.bare is _own_tag(state, tag), SW.WRONG_DATA)
    if tag == DISCOVERY:
        # It must not promise what the card has not. Virtual contact is allowed to be promised:
        # nobody gets it, and middleware that reads of it wants to be tested.
        policy = PinUsagePolicy.read(value)
        require(policy is not None and not policy.biometric, SW.WRONG_DATA)
        promised = policy is not None and policy.global_pin
        require(not promised or state.global_pin is not None, SW.WRONG_DATA)
    require(state.room_for(tag, len(value)), SW.NOT_ENOUGH_MEMORY)
    if tag == ATTESTATION_CERTIFICATE:
        ensure_attestation_key(state)
    state.put_object(tag, value)


def _generate(state: PivState, command: std.GenerateKey) -> bytes:
    require(command.algorithm in state.profile.key_algorithms, SW.WRONG_DATA)
    # Policies are Yubico's; a standard card has those of the slot.
    require(state.profile.yubico or command.policies == DEFAULT_POLICIES, SW.WRONG_DATA)
    if command.slot == ATTESTATION:
        ensure_attestation_key(state)
    record = KeyRecord.make(
        command.slot,
        command.algorithm,
        Origin.GENERATED,
        generate(command.algorithm),
        command.policies,
    )
    state.put_key(command.slot, record)
    return bytes(Tlv(0x7F49, record.public))
