# SPDX-License-Identifier: Apache-2.0
"""Key derivations, against ``cryptography``, hashlib and OpenSSL."""

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
INVALID = SCARD.E_INVALID_PARAMETER


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


LABEL, SEED = KdfParameter(4, b"master secret"), KdfParameter(5, bytes(64))
TLS_1_1, TLS_1_2 = KdfParameter(7, b"\x02\x03\0\0"), KdfParameter(7, b"\x03\x03\0\0")
# openssl kdf -keylen 48 -kdfopt digest:… -kdfopt hexsecret:… -kdfopt hexseed:… TLS1-PRF
OLD = (
    "4861e1186561306f6bc51f2c8d147c0f77da142a9eebd1ed"
    "3135b6ab85f89a00d340e982d2f1c0c81a2f9614b0e257ca"
)
SHA256 = (
    "085057066c83c872eb2545889ccd36addc1691de1d9b531d"
    "e2a82b5563ee2584170bcd86d0f88c0a4f2da89d7f993edf"
)
SHA384 = (
    "688ff7e51d6f65dfe104a6babb418822279c3091ed1f3f1e"
    "0632f34055bde2e5cb72965ae0e581d915beb97ed18aface"
)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ([], OLD),
        ([TLS_1_1], OLD),
        ([TLS_1_2], SHA256),
        ([TLS_1_2, named("SHA256")], SHA256),
        ([TLS_1_2, named("SHA384")], SHA384),
    ],
)
def test_tls(parameters, wanted):
    assert derive("TLS_PRF", SECRET, [LABEL, SEED, *parameters]).hex() == wanted


@pytest.mark.parametrize(
    ("kdf", "parameters", "code"),
    [
        ("OTHER", [], SCARD.E_UNSUPPORTED_FEATURE),
        ("HASH", [named("WHIRLPOOL")], SCARD.E_UNSUPPORTED_FEATURE),
        ("HASH", [KEY], SCARD.E_INVALID_PARAMETER),
        ("SP800_56A_CONCAT", [BEFORE], SCARD.E_INVALID_PARAMETER),
        ("SP800_56A_CONCAT", [KdfParameter(kind, b"") for kind in (8, 9)], INVALID),
        ("TLS_PRF", [], SCARD.E_INVALID_PARAMETER),
        ("TLS_PRF", [LABEL, KdfParameter(5, bytes(63))], INVALID),
        ("TLS_PRF", [LABEL, SEED, TLS_1_2, named("SHA1")], INVALID),
        ("TLS_PRF", [LABEL, SEED, KdfParameter(6, bytes(4))], INVALID),
    ],
)
def test_what_is_refused(kdf, parameters, code):
    assert code_of(derive, kdf, SECRET, parameters) is code
