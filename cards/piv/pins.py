# SPDX-License-Identifier: Apache-2.0
"""VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (SP 800-73-5 part 2 §3.2.1 to §3.2.3).

Key references are PIN, global PIN, PUK and pairing code. That the card has the one in question, and
may be asked for it over the present interface, was checked by :mod:`cards.piv.applet`.
"""

from cards.piv import commands as std
from cards.piv.commands import PinRef
from cards.piv.device import is_trivial
from cards.piv.state import PivState
from cards.platform import Pin, Refuse
from cards.platform.parsing import require
from vreader.iso7816 import SW

Command = (
    std.VerifyStatus | std.VerifyPin | std.Logout | std.ChangeReferenceData | std.ResetRetryCounter
)

_MINIMUM = 6


def has_reference(state: PivState, number: int) -> bool:
    """Tell whether the card has the reference data ``number`` at present."""
    match number:
        case PinRef.PIN | PinRef.PUK:
            return True
        case PinRef.GLOBAL:
            return state.pin_policy.global_pin
        case PinRef.PAIRING:
            return not state.profile.yubico and state.pairing_code is not None
    return False


def execute(state: PivState, command: Command) -> None:
    """Carry out one command; raises Refuse."""
    match command:
        case std.VerifyStatus(ref):
            _tell_status(state, ref)
        case std.VerifyPin(PinRef.PAIRING, code):
            _verify_pairing_code(state, code)
        case std.VerifyPin(ref, pin):
            _judge_form(state, ref, pin)
            _check(state, ref, pin)
            _set_verified(state, ref, verified=True)
            state.security.pin_fresh = True
        case std.Logout(ref):
            _set_verified(state, ref, verified=False)
        case std.ChangeReferenceData(ref, old, new):
            _judge_form(state, ref, old)
            _judge_new_form(state, ref, new)
            _check(state, ref, old)
            _replace(state, ref, new)
            _set_verified(state, ref, verified=True)
        case std.ResetRetryCounter(puk, new):
            _reset_retry_counter(state, puk, new)


def _pin(state: PivState, ref: PinRef) -> Pin:
    if ref is PinRef.PUK:
        return state.puk
    found = state.global_pin if ref is PinRef.GLOBAL else state.pin
    if found is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    return found


def _tell_status(state: PivState, ref: PinRef) -> None:
    if _is_verified(state, ref):
        return
    # The pairing code has no retry counter.
    require(ref is not PinRef.PAIRING, SW.VERIFY_FAILED)
    pin = _pin(state, ref)
    require(not pin.blocked, SW.AUTHENTICATION_BLOCKED)
    raise Refuse(SW.retries(min(pin.tries_left, 15)))


def _is_verified(state: PivState, ref: PinRef) -> bool:
    match ref:
        case PinRef.GLOBAL:
            return state.global_pin_verified
        case PinRef.PAIRING:
            return state.security.pairing
    return state.security.pin


def _set_verified(state: PivState, ref: PinRef, *, verified: bool) -> None:
    """Set the security status of one reference. No command asks for that of the PUK."""
    match ref:
        case PinRef.GLOBAL:
            state.global_pin_verified = verified
        case PinRef.PAIRING:
            state.security.pairing = verified
        case PinRef.PIN:
            state.security.pin = verified


def _verify_pairing_code(state: PivState, code: bytes) -> None:
    from hmac import compare_digest

    require(code.isdigit(), SW.WRONG_DATA)
    state.security.pairing = compare_digest(state.pairing_code or b"", code)
    require(state.security.pairing, SW.VERIFY_FAILED)


def _require_padded(value: bytes, *, digits: bool = False) -> None:
    """Raise Refuse(6A80) unless it is 6 to 8 bytes, padded with FF at the end only.

    ``digits`` allows the digits 0 to 9 alone, as §2.4.3 wants PINs; YubiKeys take any bytes.
    """
    bare = value.rstrip(b"\xff")
    require(len(bare) >= _MINIMUM and 0xFF not in bare, SW.WRONG_DATA)
    require(bare.isdigit() or not digits, SW.WRONG_DATA)


def _judge_form(state: PivState, ref: PinRef, value: bytes) -> None:
    """Refuse a PIN that cannot be right, 6A80 (§2.4.3); it costs no try. YubiKeys compare it."""
    if not state.profile.yubico and ref is not PinRef.PUK:
        _require_padded(value, digits=True)


def _judge_new_form(state: PivState, ref: PinRef, value: bytes) -> None:
    """Refuse a new PIN of the wrong form, 6A80. A PUK is any eight bytes, but on YubiKeys.

    A PUK of firmware 5.7 is ASCII.
    """
    if (version := state.profile.version) is not None:
        _require_padded(value)
        # So Yubico's documentation of CHANGE REFERENCE DATA; of the PIN it says nothing.
        ascii_alone = ref is PinRef.PUK and version >= (5, 7, 0)
        require(value.rstrip(b"\xff").isascii() or not ascii_alone, SW.WRONG_DATA)
    else:
        _judge_form(state, ref, value)


def _check(state: PivState, ref: PinRef, value: bytes) -> None:
    """Compare; a wrong value ends the verified state."""
    try:
        _pin(state, ref).check(value)
    except Refuse:
        _set_verified(state, ref, verified=False)
        raise


def _replace(state: PivState, ref: PinRef, new: bytes) -> None:
    """Set a new value, unless it is too simple; the right to do so was just proved."""
    state.area.commit()  # that the proof was right stays true, whatever becomes of the new value
    trivial = state.device.pin_complexity and is_trivial(new)
    require(not trivial, SW.CONDITIONS_NOT_SATISFIED)
    _pin(state, ref).change(new)


def _reset_retry_counter(state: PivState, puk: bytes, new: bytes) -> None:
    """Set a new PIN by the PUK; whether the PIN is verified stays as it was.

    The standard leaves the counter of the PUK alone when the new PIN has the wrong form, so the
    form comes first. A YubiKey looks at the PUK first: its clients block it on purpose, with a
    wrong one and no new PIN at all.
    """
    if not state.profile.yubico:
        require(not state.puk.blocked, SW.AUTHENTICATION_BLOCKED)
        _judge_new_form(state, PinRef.PIN, new)
    try:
        state.puk.check(puk)
    except Refuse:
        state.security.drop_pin()
        raise
    if state.profile.yubico:
        state.area.commit()
        _require_padded(new)
    _replace(state, PinRef.PIN, new)
