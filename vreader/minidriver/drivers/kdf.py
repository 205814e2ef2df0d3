# SPDX-License-Identifier: Apache-2.0
"""The key derivations of CNG, from a shared secret (CNG reference, "BCryptDeriveKey").

Hashes without a name are SHA-1, as the reference says. What is derived has the hash's length, for
TLS 48 bytes. The secret is the X coordinate, big endian.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from vreader.minidriver.abi.codes import Kdf
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.padding import HASHES
from vreader.minidriver.rules.base import require
from vreader.minidriver.values import KdfParameter
from vreader.winscard.codes import SCARD

# KDF_*: kinds of parameter (bcrypt.h).
HASH_ALGORITHM, SECRET_PREPEND, SECRET_APPEND, HMAC_KEY = 0, 1, 2, 3
TLS_LABEL, TLS_SEED, TLS_PROTOCOL = 4, 5, 7  # 6 is a handle, which no card can have
OTHER_INFO: Final = (8, 9, 10, 11, 12)
"""Algorithm, party U, party V, public and private information, joined in this order."""
_NEEDED_INFO: Final = frozenset(OTHER_INFO[:3])

_MASTER_SECRET, _SEED = 48, 64
_TLS_1_2 = 0x0303
_TLS_1_2_HASHES = ("sha256", "sha384")


def derive(kdf: str | None, secret: bytes, parameters: Iterable[KdfParameter]) -> bytes:
    """Return what a derivation makes of a secret.

    Raises:
        MinidriverError: SCARD_E_UNSUPPORTED_FEATURE for a derivation or a hash that is not known,
            SCARD_E_INVALID_PARAMETER for a parameter that does not go with it.
    """
    given = list(parameters)
    hash_name = _hash(given)
    if kdf == Kdf.HASH:
        _only(given, HASH_ALGORITHM, SECRET_PREPEND, SECRET_APPEND)
        before, after = _joined(given, SECRET_PREPEND), _joined(given, SECRET_APPEND)
        return _digest(hash_name, before + secret + after)
    if kdf == Kdf.HMAC:
        _only(given, HASH_ALGORITHM, SECRET_PREPEND, SECRET_APPEND, HMAC_KEY)
        before, after = _joined(given, SECRET_PREPEND), _joined(given, SECRET_APPEND)
        # Without a key the secret is the key, which is KDF_USE_SECRET_AS_HMAC_KEY_FLAG to CNG:
        # CARD_DERIVE_KEY has no place for that flag (assumed).
        keys = [one.value for one in given if one.kind == HMAC_KEY]
        key = keys[0] if keys else secret
        return hmac.new(key, before + secret + after, hash_name).digest()
    if kdf == Kdf.SP80056A_CONCAT:
        _only(given, HASH_ALGORITHM, *OTHER_INFO)
        require({one.kind for one in given} >= _NEEDED_INFO)
        other = b"".join(_joined(given, kind) for kind in OTHER_INFO)
        return _digest(hash_name, b"\0\0\0\1" + secret + other)
    if kdf == Kdf.TLS_PRF:
        return _tls(given, secret, hash_name)
    raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)


def _tls(given: list[KdfParameter], secret: bytes, hash_name: str) -> bytes:
    """Return the first 48 bytes of the PRF of TLS 1.0 and 1.1, or that of 1.2.

    A hash is for 1.2 alone, SHA-256 or SHA-384, and SHA-256 where none is named (assumed).
    """
    _only(given, HASH_ALGORITHM, TLS_LABEL, TLS_SEED, TLS_PROTOCOL)
    label, seed = _joined(given, TLS_LABEL), _joined(given, TLS_SEED)
    require(label and len(seed) == _SEED)
    if int.from_bytes(_joined(given, TLS_PROTOCOL), "little") == _TLS_1_2:
        if not any(one.kind == HASH_ALGORITHM for one in given):
            hash_name = "sha256"
        require(hash_name in _TLS_1_2_HASHES)
        return _expand(hash_name, secret, label + seed)
    half = (len(secret) + 1) // 2
    one = _expand("md5", secret[:half], label + seed)
    other = _expand("sha1", secret[-half:], label + seed)
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _expand(hash_name: str, key: bytes, seed: bytes) -> bytes:
    """P_hash of RFC 5246 §5."""
    found, a = b"", seed
    while len(found) < _MASTER_SECRET:
        a = hmac.new(key, a, hash_name).digest()
        found += hmac.new(key, a + seed, hash_name).digest()
    return found[:_MASTER_SECRET]


def _hash(given: list[KdfParameter]) -> str:
    named = [one.value for one in given if one.kind == HASH_ALGORITHM]
    if not named:
        return "sha1"
    name = named[0].decode("utf-16-le", "replace").rstrip("\0")
    if name not in HASHES:
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
    return HASHES[name]


def _digest(hash_name: str, data: bytes) -> bytes:
    return hashlib.new(hash_name, data, usedforsecurity=False).digest()


def _joined(given: list[KdfParameter], kind: int) -> bytes:
    return b"".join(one.value for one in given if one.kind == kind)


def _only(given: list[KdfParameter], *kinds: int) -> None:
    require(all(one.kind in kinds for one in given))
