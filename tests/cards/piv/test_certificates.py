# SPDX-License-Identifier: Apache-2.0
"""Certificate objects as clients write them: plain, compressed, and none at all."""

import gzip
import zlib

import pki
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cards.piv.certificates import certificate_object, read_certificate_object
from vreader.iso7816 import Tlv

CERTIFICATE = pki.certificate(ec.derive_private_key(5, ec.SECP256R1()), "CN=alice")
DER = CERTIFICATE.public_bytes(serialization.Encoding.DER)


def wrapped(content, info=b"\1"):
    return b"".join(map(bytes, (Tlv(0x70, content), Tlv(0x71, info), Tlv(0xFE))))


@pytest.mark.parametrize(
    "value",
    [certificate_object(CERTIFICATE), wrapped(gzip.compress(DER)), wrapped(zlib.compress(DER))],
    ids=["plain", "gzip", "zlib"],
)
def test_a_certificate_is_read(value):
    assert read_certificate_object(value) == CERTIFICATE


@pytest.mark.parametrize(
    "value",
    [
        b"\xfe\0",
        wrapped(DER),
        wrapped(gzip.compress(DER)[:40]),
        wrapped(gzip.compress(bytes(1 << 24))),
        wrapped(gzip.compress(DER), b"\0"),
    ],
    ids=["empty", "not compressed", "cut short", "bomb", "said to be plain"],
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError):
        read_certificate_object(value)
