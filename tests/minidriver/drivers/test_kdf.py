# SPDX-License-Identifier: Apache-2.0
"""Key derivations, against ``cryptography`` and hashlib."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from driving import code_of

from vreader.minidriver.drivers.kdf import derive
from vreader.minidriver.values import KdfParameter
from vreader.winscard.codes import SCARD

SECRET = bytes(range(32))


def named(name):
    return KdfParameter(0, f"{name}\0".encode("utf-16-le"))


BEFORE, AFTER, KEY = KdfParameter(1, b"before"), KdfParameter(2, b"after"), KdfParameter(3, b"key")


@pytest.mark.parametrize("name", ["MD5", "SHA1", "SHA256", "SHA384", "SHA512"])
def test_hash(name):
    wanted = hashlib.new(name, b"before" + SECRET + b"after").digest()
    assert derive("HASH", SECRET, [AFTER, named(name), BEFORE]) == wanted


def test_sha1_is_the_hash_without_name():
    assert derive("HASH", SECRET, []) == hashlib.sha1(SECRET).digest()


@pytest.mark.parametrize(("key", "used"), [([KEY], b"key"), ([], SECRET)])
def test_hmac(key, used):
    wanted = hmac.digest(used, b"before" + SECRET + b"after", "sha256")
    assert derive("HMAC", SECRET, [named("SHA256"), BEFORE, AFTER, *key]) == wanted


def test_concat():
    info = [KdfParameter(kind, bytes((kind,)) * kind) for kind in range(8, 13)]
    other = b"".join(one.value for one in info)
    wanted = ConcatKDFHash(hashes.SHA384(), 48, other).derive(SECRET)
    assert derive("SP800_56A_CONCAT", SECRET, [named("SHA384"), *reversed(info)]) == wanted


def test_tls():
    label, seed = KdfParameter(4, b"master secret"), KdfParameter(5, bytes(64))
    old = derive("TLS_PRF", SECRET, [label, seed])
    new = derive("TLS_PRF", SECRET, [label, seed, KdfParameter(6, b"\x03\x03\0\0")])
    # P_SHA256 by the book: A(1), then the two blocks that 48 bytes need.
    whole = b"master secret" + bytes(64)
    a1 = hmac.digest(SECRET, whole, "sha256")
    a2 = hmac.digest(SECRET, a1, "sha256")
    parts = (hmac.digest(SECRET, a + whole, "sha256") for a in (a1, a2))
    assert new == b"".join(parts)[:48]
    assert len(old) == 48
    assert old != new


@pytest.mark.parametrize(
    ("kdf", "parameters", "code"),
    [
        ("OTHER", [], SCARD.E_UNSUPPORTED_FEATURE),
        ("HASH", [named("WHIRLPOOL")], SCARD.E_UNSUPPORTED_FEATURE),
        ("HASH", [KEY], SCARD.E_INVALID_PARAMETER),
        ("SP800_56A_CONCAT", [BEFORE], SCARD.E_INVALID_PARAMETER),
        ("TLS_PRF", [], SCARD.E_INVALID_PARAMETER),
    ],
)
def test_what_is_refused(kdf, parameters, code):
    assert code_of(derive, kdf, SECRET, parameters) is code
