# SPDX-License-Identifier: Apache-2.0
"""What the commands of SP 800-73-5 part 2 do, GENERAL AUTHENTICATE excepted.

The rights to do it were checked by :mod:`cards.piv.applet`.
"""

from cards.piv import commands as std
from cards.piv.keys import KeyRecord, Origin, generate
from cards.piv.state import PivState
from cards.piv.tables import (
    ATTESTATION_CERTIFICATE,
    DEFAULT_POLICIES,
    DISCOVERY,
    OBJECTS,
    PIV_AID,
)
from cards.piv.yubico import ensure_attestation_key
from cards.platform import Refuse
from vreader.iso7816 import SW, Tlv

# PIN usage policy 4000: the application PIN alone, no global PIN, no virtual contact interface
# (SP 800-73-5 part 1 §3.3.2).
_DISCOVERY_OBJECT = bytes(Tlv.of(DISCOVERY, Tlv(0x4F, PIV_AID), Tlv(0x5F2F, b"\x40\x00")))

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
        case std.PutData(tag, value):
            _put_data(state, tag, value)
        case std.VerifyStatus():
            _verify_status(state)
        case std.VerifyPin(pin):
            _check_pin(state, pin)
            state.security.pin = state.security.pin_fresh = True
        case std.Logout():
            state.security.drop_pin()
        case std.ChangeReferenceData(std.PinRef.PIN, old, new):
            _check_pin(state, old)
            state.pin.change(new)
        case std.ChangeReferenceData(_, old, new):
            state.puk.check(old)
            state.puk.change(new)
        case std.ResetRetryCounter(puk, new_pin):
            state.puk.check(puk)
            state.pin.change(new_pin)
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
    if tag == DISCOVERY:
        return _DISCOVERY_OBJECT
    if tag == ATTESTATION_CERTIFICATE and state.profile.yubico:
        ensure_attestation_key(state)
    value = state.object(tag) if _knows_object(state, tag) else None
    if value is None:
        raise Refuse(SW.FILE_NOT_FOUND)
    return bytes(Tlv(0x53, value))


def _put_data(state: PivState, tag: int, value: bytes) -> None:
    # The discovery object says what this card is; it cannot be written.
    std.require(_knows_object(state, tag) and tag != DISCOVERY, SW.FILE_NOT_FOUND)
    std.require(state.room_for(tag, len(value)), SW.NOT_ENOUGH_MEMORY)
    if tag == ATTESTATION_CERTIFICATE:
        ensure_attestation_key(state)
    state.put_object(tag, value)


def _verify_status(state: PivState) -> None:
    if state.security.pin:
        return
    std.require(not state.pin.blocked, SW.AUTHENTICATION_BLOCKED)
    raise Refuse(SW.retries(min(state.pin.tries_left, 15)))


def _check_pin(state: PivState, pin: bytes) -> None:
    """Compare the PIN; a wrong one ends the verified state (part 2 §3.2.1)."""
    try:
        state.pin.check(pin)
    except Refuse:
        state.security.drop_pin()
        raise


def _generate(state: PivState, command: std.GenerateKey) -> bytes:
    std.require(command.algorithm in state.profile.key_algorithms, SW.WRONG_DATA)
    # Policies are Yubico's; a standard card has those of the slot.
    std.require(state.profile.yubico or command.policies == DEFAULT_POLICIES, SW.WRONG_DATA)
    record = KeyRecord.make(
        command.slot,
        command.algorithm,
        Origin.GENERATED,
        generate(command.algorithm),
        command.policies,
    )
    state.put_key(command.slot, record)
    return bytes(Tlv(0x7F49, record.public))
