# SPDX-License-Identifier: Apache-2.0
"""Chains: how far the certificates at hand reach."""

import pytest
from scinfo_pki import DAY, KEYS, NOW, ROOT, make, middle, root

from vreader.minidriver.scinfo.chain import Authority, build

LEAF = make(issuer="CN=middle", signer=KEYS[1])
MIDDLE = Authority(middle(), "card")


def subjects(chain):
    return [link.subject for link in chain.links]


def test_from_the_leaf_to_the_root():
    chain = build(LEAF, [ROOT, MIDDLE], NOW)
    assert subjects(chain) == ["CN=alice", "CN=middle", "CN=root"]
    assert [link.source for link in chain.links] == ["card", "card", "root.pem"]
    assert (chain.trusted, chain.verdict) == (True, "complete")


def test_an_issuer_that_is_missing():
    chain = build(LEAF, [ROOT], NOW)
    assert (subjects(chain), chain.missing) == (["CN=alice"], "CN=middle")
    assert chain.verdict == "no certificate of its issuer CN=middle is at hand"


def test_a_root_that_nobody_named_is_not_trusted():
    chain = build(make(), [ROOT._replace(trusted=False)], NOW)
    assert not chain.trusted
    assert chain.verdict == "complete, to a root that nobody named as trusted"


def test_a_name_without_the_signature_is_no_issuer():
    forged = Authority(make("CN=root", key=KEYS[0], ca=True, signer=KEYS[0]), "card")
    assert build(make(), [forged], NOW).missing == "CN=root"


def test_an_issuer_must_be_a_ca():
    plain = Authority(make("CN=middle", key=KEYS[1]), "card")
    chain = build(LEAF, [plain, ROOT], NOW)
    assert "it is no CA's certificate" in chain.verdict


def test_of_two_issuers_the_valid_one_is_taken():
    old = Authority(root(since=-9 * DAY, until=-DAY), "old.pem", trusted=True)
    assert build(make(), [old, ROOT], NOW).links[-1].source == "root.pem"
    assert "expired on 2026-05-31" in build(make(), [old], NOW).verdict


def test_dates_of_the_leaf_count():
    assert "not valid before" in build(make(since=DAY, until=2 * DAY), [ROOT], NOW).verdict


def test_issuers_in_a_circle_end():
    one = Authority(make("CN=a", key=KEYS[0], issuer="CN=b", signer=KEYS[1], ca=True), "x")
    other = Authority(make("CN=b", key=KEYS[1], issuer="CN=a", signer=KEYS[0], ca=True), "x")
    chain = build(make(issuer="CN=a", signer=KEYS[0]), [one, other], NOW)
    assert subjects(chain) == ["CN=alice", "CN=a", "CN=b"]
    assert (chain.trusted, chain.missing) == (False, "CN=a")


def test_two_certificates_of_one_ca_lead_to_the_root():
    """A root that has another CA's certificate too: the way by itself is shorter."""
    crossed = Authority(make("CN=root", key=KEYS[2], issuer="CN=b", signer=KEYS[1], ca=True,
                             usages=None), "x", trusted=True)  # fmt: skip
    chain = build(make(), [crossed, ROOT], NOW)
    assert (subjects(chain), chain.verdict) == (["CN=alice", "CN=root"], "complete")


@pytest.mark.parametrize(
    ("issuer", "problem"),
    [
        ({"usages": ("digital_signature",)}, "its key usage is not to sign certificates"),
        ({"usages": None}, ""),
    ],
)
def test_an_issuer_may_sign_certificates(issuer, problem):
    signer = make("CN=middle", key=KEYS[1], ca=True, **issuer)
    chain = build(LEAF, [Authority(signer, "card"), ROOT], NOW)
    assert chain.links[1].problem == problem


@pytest.mark.parametrize(
    ("length", "problem"), [(0, "it has 1 CAs below it, and may have 0"), (1, ""), (None, "")]
)
def test_how_many_cas_an_issuer_may_have_below_it(length, problem):
    chain = build(LEAF, [MIDDLE, Authority(root(path_length=length), "root.pem", True)], NOW)
    assert chain.links[2].problem == problem
