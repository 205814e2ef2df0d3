# SPDX-License-Identifier: Apache-2.0
"""Make a new card usable: generate or import keys, and write a certificate for each of them."""

import re
from collections.abc import Collection
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cards.piv.build import piv_state
from cards.piv.certificates import certificate_object
from cards.piv.keys import KeyRecord, Origin, PrivateKey, generate, import_private
from cards.piv.profile import PROFILES, Profile
from cards.piv.state import MAX_OBJECT, PivState
from cards.piv.tables import (
    ALGORITHM_NAMES,
    AUTHENTICATION,
    CARD_AUTHENTICATION,
    EC_BITS,
    KEY_HISTORY,
    RETIRED,
    RSA_BITS,
    SIGNATURE,
    USER_SLOTS,
    Algorithm,
    certificate_tag,
)
from cards.platform import provisioning
from cards.platform.certificates import Issuer, Usage
from cards.platform.keyfiles import Key, check_pair, load_certificate, load_key, load_pfx
from cards.platform.provisioning import Provisioning
from vreader.card import Card
from vreader.errors import UsageError
from vreader.iso7816 import Tlv

DEFAULT_SLOTS = ("9a:p256",)
_USAGES = {
    AUTHENTICATION: Usage.AUTHENTICATION,
    SIGNATURE: Usage.SIGNATURE,
    CARD_AUTHENTICATION: Usage.CARD_AUTHENTICATION,
}  # the others are for key management
_SLOTS = {f"{number:02x}": number for number in USER_SLOTS}
_SLOT_NAMES = "9a 9c 9d 9e 82-95"
_IMPORTS = ("pfx", "import-key", "import-cert")


class Wanted(NamedTuple):
    """What one slot gets: a key that is imported or else generated, and maybe its certificate."""

    algorithm: Algorithm
    private: PrivateKey | None = None
    certificate: x509.Certificate | None = None


def provision(card: Card, options: Provisioning, known: Collection[str]) -> None:
    """Put a key and a certificate into each slot that is asked for.

    Args:
        card: a card of this kind, not in use.
        options: as ``vreader card new`` has them, see ``PROVISIONING`` of the kind.
        known: the names that they may have.

    Raises:
        UsageError: an option, slot, algorithm, name or file cannot be used; nothing is changed.
    """
    provisioning.check(options, known, "piv")
    state = piv_state(card)
    issuer = Issuer.of(options)
    wanted = _wanted(options, state.profile)
    written = {slot: _make(slot, what, issuer) for slot, what in wanted.items()}
    for slot, (record, certificate) in written.items():
        state.put_key(slot, record)
        state.put_object(certificate_tag(slot), certificate)
    _announce_retired(state)
    state.area.commit()


def _wanted(options: Provisioning, profile: Profile) -> dict[int, Wanted]:
    """Return what each slot gets; the files are read, nothing is generated yet."""
    found: dict[int, Wanted] = {}
    imports = any(options.get(name) for name in _IMPORTS)
    for text in options.get("slot") or (() if imports else DEFAULT_SLOTS):
        slot, algorithm = _slot(text, profile)
        _add(found, slot, Wanted(algorithm))
    for slot, path in _files(options, "pfx"):
        key, certificate = load_pfx(path, provisioning.password(options))
        _add(found, slot, _imported(slot, key, certificate, profile))
    certificates: dict[int, x509.Certificate] = {}
    for slot, path in _files(options, "import-cert"):
        if slot in certificates:
            raise _twice(slot)
        certificates[slot] = load_certificate(path)
    for slot, path in _files(options, "import-key"):
        key = load_key(path, provisioning.password(options))
        _add(found, slot, _imported(slot, key, certificates.pop(slot, None), profile))
    for slot in certificates:
        raise UsageError(
            f"slot {slot:02x} gets a certificate but not its key",
            hint=f"add --import-key {slot:02x}:FILE, or use --pfx {slot:02x}:FILE",
        )
    return found


def _add(found: dict[int, Wanted], slot: int, wanted: Wanted) -> None:
    if slot in found:
        raise _twice(slot)
    found[slot] = wanted


def _twice(slot: int) -> UsageError:
    return UsageError(f"slot {slot:02x} is given twice", hint="name another slot, as in 9c:…")


def _slot(text: str, profile: Profile) -> tuple[int, Algorithm]:
    """Read ``SLOT:ALGORITHM``; raises UsageError."""
    slot, _, algorithm = text.lower().partition(":")
    names = algorithm_names(profile)
    others = [p.name for p in PROFILES.values() if algorithm in algorithm_names(p)]
    if slot in _SLOTS and algorithm not in names and others:
        raise UsageError(
            f"slot {text!r}: a piv card {profile.name} has no such keys",
            hint="use profile " + " or ".join(others) + "; this one has " + " ".join(names),
        )
    if slot not in _SLOTS or algorithm not in names:
        raise UsageError(
            f"slot {text!r} cannot be provisioned",
            hint=f"write slot:algorithm, for example 9a:p256; slots {_SLOT_NAMES}, algorithms "
            + " ".join(names),
        )
    return _SLOTS[slot], names[algorithm]


def algorithm_names(profile: Profile) -> dict[str, Algorithm]:
    """Return what users type for the algorithms of keys, and which the profile has."""
    return {ALGORITHM_NAMES[a].replace("-", "").lower(): a for a in profile.key_algorithms}


def _files(options: Provisioning, name: str) -> list[tuple[int, str]]:
    """Read the values ``[SLOT:]FILE`` of an option; raises UsageError."""
    found = []
    for text in options.get(name, ()):
        match = re.fullmatch(r"([0-9A-Fa-f]{2}):(.+)", text, re.DOTALL)
        slot, path = (match[1].lower(), match[2]) if match else ("9a", text)
        if slot not in _SLOTS or not path:
            raise UsageError(
                f"{name} {text!r} names no " + ("slot" if path else "file"),
                hint=f"write slot:file, for example 9c:alice.pem; slots {_SLOT_NAMES}",
            )
        found.append((_SLOTS[slot], provisioning.located(options, path)))
    return found


def _imported(
    slot: int, key: Key, certificate: x509.Certificate | None, profile: Profile
) -> Wanted:
    if certificate is not None:
        check_pair(key, certificate, f"slot {slot:02x}")
    try:
        algorithm, elements = _elements(key)
        if algorithm not in profile.key_algorithms:
            raise ValueError("the card has no such keys")
        return Wanted(algorithm, import_private(algorithm, elements), certificate)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"slot {slot:02x}: a piv card {profile.name} cannot hold this key, {_of(key)}",
            hint="its algorithms are " + " ".join(algorithm_names(profile)),
        ) from error


def _of(key: Key) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return f"RSA of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return f"EC on {key.curve.name}"
    return "Ed25519" if isinstance(key, Ed25519PrivateKey) else "X25519"


def _elements(key: Key) -> tuple[Algorithm, dict[int, bytes]]:
    """Return algorithm and elements as IMPORT KEY has them; ValueError, OverflowError."""
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = _algorithm(RSA_BITS, key.key_size)
        own = key.private_numbers()
        numbers = (own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
        size = key.key_size // 16  # primes of unequal size do not fit
        return algorithm, {tag: n.to_bytes(size, "big") for tag, n in enumerate(numbers, 1)}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            raise ValueError("another curve")
        scalar = key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8, "big")
        return _algorithm(EC_BITS, key.key_size), {6: scalar}
    raw = key.private_bytes_raw()
    if isinstance(key, Ed25519PrivateKey):
        return Algorithm.ED25519, {7: raw}
    return Algorithm.X25519, {8: raw}


def _algorithm(sizes: dict[Algorithm, int], bits: int) -> Algorithm:
    for algorithm, size in sizes.items():
        if size == bits:
            return algorithm
    raise ValueError("another size")


def _make(slot: int, wanted: Wanted, issuer: Issuer) -> tuple[KeyRecord, bytes]:
    """Return the key of a slot and its certificate object; raises UsageError for a huge one."""
    origin = Origin.GENERATED if wanted.private is None else Origin.IMPORTED
    private = wanted.private or generate(wanted.algorithm)
    record = KeyRecord.make(slot, wanted.algorithm, origin, private)
    certificate = wanted.certificate or issuer.certify(
        record.to_cryptography(), _USAGES.get(slot, Usage.KEY_MANAGEMENT)
    )
    value = certificate_object(certificate)
    if len(value) > MAX_OBJECT:
        raise UsageError(
            f"slot {slot:02x}: the certificate makes an object of {len(value)} bytes, "
            f"and the card takes {MAX_OBJECT}",
            hint="use one with fewer names or extensions, or a smaller key",
        )
    return record, value


def _announce_retired(state: PivState) -> None:
    """Write the key history: some clients look at retired slots only when it counts them."""
    used = [i for i, slot in enumerate(RETIRED, 1) if state.key(slot) is not None]
    if used:
        history = (Tlv(0xC1, bytes((used[-1],))), Tlv(0xC2, b"\0"), Tlv(0xFE))
        state.put_object(KEY_HISTORY, b"".join(map(bytes, history)))
