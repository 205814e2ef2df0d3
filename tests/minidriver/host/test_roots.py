# SPDX-License-Identifier: Apache-2.0
"""Certificates of CAs on a card."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.winscard.codes import SCARD

PLACE = ("mscp", "msroots")


def ca(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name.from_rfc4514_string(f"CN={name}")
    then = datetime.datetime(2026, 1, 1)
    return x509.CertificateBuilder(subject, subject, key.public_key(), 1, then, then).sign(
        key, hashes.SHA256()
    )


def code(call, *args):
    with pytest.raises(MinidriverError) as caught:
        call(*args)
    return caught.value.code


def test_roots_are_written_and_read_by_others(desk):
    provider, other = desk.open(), desk.open()
    assert other.roots() == []
    roots = [ca("one"), ca("two")]
    desk.wait()
    provider.write_roots(roots)
    assert provider.roots() == roots
    desk.wait()
    assert other.roots() == roots
    desk.wait()
    provider.write_roots([])
    assert PLACE not in desk.card.files
    desk.wait()
    assert other.roots() == []


def test_what_is_no_bag(desk):
    for content in (b"\x30\x03nonsense", b"\x30\x80"):
        desk.card.files[PLACE] = (1, content)
        desk.card.files["", "cardcf"] = (1, bytes(4) + content[:2])
        assert code(desk.open().roots) is NTE.BAD_DATA
    desk.card.files[PLACE] = (1, b"")
    desk.card.files["", "cardcf"] = (1, b"\0\0\0\0\7\0")
    assert desk.open().roots() == []


def test_not_on_a_read_only_card(desk):
    desk.module.read_only = True
    assert code(desk.open().write_roots, [ca("one")]) is SCARD.E_READ_ONLY_CARD
