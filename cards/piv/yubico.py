# SPDX-License-Identifier: Apache-2.0
"""What Yubico's PIV commands do: metadata, keys in and about, attestation, reset.

The rights to do it were checked by :mod:`cards.piv.applet`. Attestation certificates are built in
:mod:`cards.piv.certificates`.
"""

from cards.piv import yubico_commands as yk
from cards.piv.commands import PinRef
from cards.piv.keys import KeyRecord, Origin, generate, import_private
from cards.piv.state import (
    DEFAULT_PIN,
    DEFAULT_PUK,
    ManagementKey,
    PivState,
    Security,
)
from cards.piv.tables import (
    ATTESTATION,
    ATTESTATION_CERTIFICATE,
    MANAGEMENT,
    Algorithm,
)
from cards.platform import Pin, Refuse
from cards.platform.crypto import is_weak_des
from cards.platform.parsing import require
from vreader.iso7816 import SW, Tlv


def execute(state: PivState, command: yk.YubicoCommand) -> bytes:
    """Carry out one command and return its response data; raises Refuse."""
    match command:
        case yk.GetVersion():
            return bytes(state.profile.version or ())
        case yk.GetSerial():
            return state.serial.to_bytes(4, "big")
        case yk.GetMetadata(ref):
            return _metadata(state, ref)
        case yk.Attest(slot):
            return _attest(state, slot)
        case yk.SetManagementKey():
            _set_management_key(state, command)
        case yk.ImportKey():
            _import_key(state, command)
        case yk.MoveKey(source, target):
            _move_key(state, source, target)
        case yk.SetPinRetries(pin_tries, puk_tries):
            state.pin.create(DEFAULT_PIN, pin_tries)
            state.puk.create(DEFAULT_PUK, puk_tries)
            state.security.drop_pin()
        case yk.ResetCard():
            state.wipe()
            state.security = Security()
    return b""


def ensure_attestation_key(state: PivState) -> None:
    """Give the card its attestation key and certificate, if it has none yet.

    A real card is born with them; ours gets them on first need, which keeps making a card quick.
    What its user deleted does not come back.
    """
    if state.key(ATTESTATION) is not None or state.device.attestation_lost:
        return
    from cards.piv.certificates import attestation_issuer, certificate_object

    record = KeyRecord.make(ATTESTATION, Algorithm.P256, Origin.GENERATED, generate(Algorithm.P256))
    state.put_key(ATTESTATION, record)
    state.put_object(ATTESTATION_CERTIFICATE, certificate_object(attestation_issuer(record)))


def _metadata(state: PivState, ref: int) -> bytes:
    if ref == PinRef.PIN:
        return _pin_metadata(state.pin, DEFAULT_PIN)
    if ref == PinRef.PUK:
        return _pin_metadata(state.puk, DEFAULT_PUK)
    if ref == MANAGEMENT:
        key = state.management_key
        default = bytes((state.management_key_is_default,))
        return _tlvs((1, bytes((key.algorithm,))), (2, bytes((0, key.touch_policy))), (5, default))
    if ref == ATTESTATION:
        ensure_attestation_key(state)
    record = state.key(ref)
    if record is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    return _tlvs(
        (1, bytes((record.algorithm,))),
        (2, bytes(record.policies)),
        (3, bytes((record.origin,))),
        (4, record.public),
    )


def _pin_metadata(pin: Pin, default: bytes) -> bytes:
    tries = bytes((pin.tries_max, pin.tries_left))
    return _tlvs((1, b"\xff"), (5, bytes((pin.equals(default),))), (6, tries))


def _tlvs(*pairs: tuple[int, bytes]) -> bytes:
    return b"".join(bytes(Tlv(tag, value)) for tag, value in pairs)


def _set_management_key(state: PivState, command: yk.SetManagementKey) -> None:
    require(command.algorithm in state.profile.management_algorithms, SW.WRONG_DATA)
    weak = command.algorithm is Algorithm.TDES and is_weak_des(command.key)
    require(not weak, SW.WRONG_DATA)
    key = ManagementKey(command.algorithm, command.touch_policy, command.key)
    state.set_management_key(key)


def _import_key(state: PivState, command: yk.ImportKey) -> None:
    require(command.algorithm in state.profile.key_algorithms, SW.WRONG_DATA)
    try:
        key = import_private(command.algorithm, command.elements)
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None
    if command.slot == ATTESTATION:
        ensure_attestation_key(state)
    record = KeyRecord.make(command.slot, command.algorithm, Origin.IMPORTED, key, command.policies)
    state.put_key(command.slot, record)


def _move_key(state: PivState, source: int, target: int | None) -> None:
    """Move a key with its policies and its origin; the certificates stay where they are."""
    if source == ATTESTATION:
        ensure_attestation_key(state)
        state.device.lose_attestation()
    record = state.key(source)
    if record is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    if target is not None:
        require(state.key(target) is None, SW.WRONG_DATA)
        state.put_key(target, record)
    state.delete_key(source)


def _attest(state: PivState, slot: int) -> bytes:
    record = state.key(slot)
    if record is None:
        raise Refuse(SW.REFERENCE_NOT_FOUND)
    require(record.origin is Origin.GENERATED, SW.WRONG_DATA)
    ensure_attestation_key(state)
    signer, issuer = state.key(ATTESTATION), state.object(ATTESTATION_CERTIFICATE)
    version = state.profile.version
    if signer is None or issuer is None or version is None:
        raise Refuse(SW.FILE_NOT_FOUND)
    from cards.piv.certificates import attest

    try:
        return attest(slot, record, (signer, issuer), version, state.serial)
    except ValueError:  # the object holds no certificate, or the key cannot sign
        raise Refuse(SW.WRONG_DATA) from None
