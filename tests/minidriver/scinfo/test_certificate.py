# SPDX-License-Identifier: Apache-2.0
"""Facts of certificates, and of bytes that only look like some."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st
from scinfo_pki import ALICE, NOW, ROOT, damaged, make, root

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.scinfo.certificate import SMART_CARD_LOGON, facts, issued, load
from vreader.minidriver.scinfo.chain import Authority, build
from vreader.minidriver.scinfo.logon import Subject, eligibility


def test_what_a_logon_certificate_says():
    seen = facts(make())
    assert (seen.subject, seen.issuer, seen.key, seen.serial) == (
        "CN=alice", "CN=root", "P-256", "4D",
    )  # fmt: skip
    assert seen.usages == {"digital_signature"}
    assert SMART_CARD_LOGON in seen.ekus
    assert [upn.name for upn in seen.upns] == ["alice@example.org"]
    assert seen.crl_urls == ("http://ca.example.org/root.crl",)
    assert (seen.is_ca, seen.self_signed, seen.problem) == (False, False, "")


def test_a_root_signed_itself():
    seen = facts(root())
    assert (seen.is_ca, seen.self_signed, seen.ekus) == (True, True, None)


@pytest.mark.parametrize(
    ("value", "name", "problem"),
    [
        (ALICE, "alice@example.org", ""),
        (b"\x0c\x81\x80" + b"a" * 126 + b"@b", "a" * 126 + "@b", ""),
        (b"\x16\x03a@b", "", "UTF8String"),
        (b"\x0c\x05a@b", "", "length"),
        (b"\x0c\x02\xff\xfe", "", "UTF-8"),
        (b"\x0c\x00", "", "empty"),
        (b"\x0c\x01@", "@", "empty"),
        (b"", "", "UTF8String"),
    ],
)
def test_a_upn_is_one_utf8_string(value, name, problem):
    # An empty or wrong value cannot be in a certificate that cryptography makes, but in others'.
    from vreader.minidriver.scinfo.certificate import _upn

    found = _upn(value)
    assert (found.name, problem in found.problem, bool(found.problem)) == (
        name, True, bool(problem),
    )  # fmt: skip


def test_an_extension_that_cannot_be_read_is_told():
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.31"), b"\xff\xff")
    seen = facts(make(crl=None, extra=[broken]))
    assert "its extensions cannot be read" in seen.problem
    assert seen.subject == "CN=alice"


def test_an_issuer_is_told_by_name_and_signature():
    assert issued(make(), root())
    assert not issued(make(issuer="CN=other"), root())
    assert not issued(root(), make())


CHANGES = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=3)


@given(CHANGES)
@example([(12, 0x1A)])  # a version that is none
@example([(14, 0x00), (15, 0x00)])
def test_a_damaged_certificate_is_read_or_refused(changes):
    found = load(damaged(make().public_bytes(Encoding.DER), changes))
    if found is not None:
        chain = build(found, [ROOT, Authority(found, "card")], NOW)
        assert eligibility(Subject(facts(found), KeySpec.KEYEXCHANGE, NOW, chain)).record()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("551d1f", "551d25"),  # an extension twice
        ("a01d060a", "a31d060a"),  # a name that nobody has
        ("0c05616c696365", "0c056100000000"),
    ],
)
def test_what_it_has_against_the_standards(old, new):
    der = make().public_bytes(Encoding.DER)
    bad = der.replace(bytes.fromhex(old), bytes.fromhex(new), 1)
    found = load(bad)
    assert found is None or facts(found).record()


def test_a_serial_number_that_nobody_may_give():
    der = make().public_bytes(Encoding.DER).replace(b"\x02\x01\x4d", b"\x02\x01\x00", 1)
    assert facts(load(der)).serial == "00"
