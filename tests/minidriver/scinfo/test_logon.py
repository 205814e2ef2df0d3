# SPDX-License-Identifier: Apache-2.0
"""The rules of a smart card logon, each with a certificate that breaks it alone."""

import datetime
import re
from pathlib import Path

import pytest
from scinfo_pki import DAY, KEYS, NOW, ROOT, make, subject

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.scinfo.certificate import ANY_PURPOSE, CLIENT_AUTHENTICATION
from vreader.minidriver.scinfo.logon import RULES, Outcome, Stage, eligibility

POLICY_NAMES = (
    "AllowCertificatesWithNoEKU",
    "EnumerateECCCerts",
    "AllowSignatureOnlyKeys",
    "AllowTimeInvalidCertificates",
    "X509HintsNeeded",
)
EMAIL = "1.3.6.1.5.5.7.3.4"
MISSING = make(issuer="CN=elsewhere")
SELF_SIGNED = make("CN=alice", issuer="CN=alice", signer=KEYS[0])


def outcomes(asked):
    return {one.rule.id: one.outcome for one in eligibility(asked).findings}


def test_what_a_ca_issues_for_logon_is_offered():
    found = eligibility(subject())
    assert {one.rule.id for one in found.findings if one.outcome is not Outcome.HOLDS} == {
        "nt-auth"
    }
    assert (found.listed, found.verdict) == (True, "would be offered for sign-in")


BROKEN = {
    "validity": subject(make(since=-9 * DAY, until=-DAY)),
    "key-place": subject(spec=KeySpec.SIGNATURE),
    "curve": subject(spec=KeySpec.ECDSA_P256),
    "upn": subject(make("CN=alice,DC=example", upn=None)),
    "key-usage": subject(make(usages=("key_encipherment",))),
    "eku": subject(make(ekus=(EMAIL, ANY_PURPOSE))),
    "crl": subject(make(crl="ldap:///CN=root")),
    "domain-name": subject(make(upn=b"\x0c\x05alice")),
    "path": subject(SELF_SIGNED),
    "client-authentication": subject(make(ekus=("1.3.6.1.4.1.311.20.2.2",))),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_alone(rule):
    failed = {name for name, one in outcomes(BROKEN[rule]).items() if one is Outcome.FAILS}
    # A certificate that has expired ends the chain too.
    assert failed - ({"path"} if rule == "validity" else set()) == {rule}


def test_every_rule_is_broken_by_something():
    assert {rule.id for rule in RULES} - set(BROKEN) == {"readable", "nt-auth"}


def test_every_rule_has_an_id_and_a_source():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.source and rule.title for rule in RULES)


@pytest.mark.parametrize(
    ("rule", "policy"),
    [
        ("validity", "time_invalid"),
        ("key-place", "signature_keys"),
        ("curve", "curves"),
        ("upn", "name_hint"),
        ("eku", "no_eku"),
    ],
)
def test_a_policy_lifts_its_rule(rule, policy):
    asked = BROKEN[rule]
    lifted = asked._replace(policies=asked.policies._replace(**{policy: True}))
    assert outcomes(lifted)[rule] is Outcome.LIFTED
    assert eligibility(lifted).listed


@pytest.mark.parametrize(
    ("ekus", "plain", "with_policy"),
    [
        (None, Outcome.FAILS, Outcome.LIFTED),
        ((ANY_PURPOSE,), Outcome.FAILS, Outcome.LIFTED),
        ((CLIENT_AUTHENTICATION,), Outcome.FAILS, Outcome.LIFTED),
        ((EMAIL,), Outcome.FAILS, Outcome.FAILS),
    ],
)
def test_which_ekus_a_policy_makes_do_with(ekus, plain, with_policy):
    certificate = make(ekus=ekus)
    assert outcomes(subject(certificate))["eku"] is plain
    assert outcomes(subject(certificate, no_eku=True))["eku"] is with_policy


def test_an_ecdh_key_is_a_curve_too():
    assert outcomes(subject(spec=KeySpec.ECDHE_P256))["curve"] is Outcome.FAILS


def test_without_key_usage_there_is_no_digital_signature():
    assert outcomes(subject(make(usages=None)))["key-usage"] is Outcome.FAILS


def test_a_upn_in_another_string_type_is_none():
    found = eligibility(subject(make(upn=b"\x16\x09alice@a.b")))
    (upn,) = [one for one in found.findings if one.rule.id == "upn"]
    assert upn.outcome is Outcome.FAILS
    assert "UTF8String" in upn.reason


def test_an_issuer_that_is_not_at_hand_leaves_the_path_open():
    assert outcomes(subject(MISSING))["path"] is Outcome.OPEN


def test_a_subject_with_its_domain_does_without_a_upn_s():
    assert outcomes(subject(make("CN=alice,DC=example", upn=None)))["domain-name"] is Outcome.HOLDS


def test_the_domain_s_refusal_is_told():
    found = eligibility(BROKEN["crl"])
    assert found.listed
    assert found.verdict == "would be offered for sign-in; the domain would refuse it: crl"
    assert [one.rule.id for one in found.fails(Stage.DOMAIN)] == ["crl"]


@pytest.mark.parametrize("seconds", [0, 86400 * 2])
def test_the_last_second_counts(seconds):
    asked = subject()._replace(now=NOW - DAY + datetime.timedelta(seconds=seconds))
    assert outcomes(asked)["validity"] is Outcome.HOLDS


def test_a_trusted_root_in_the_record():
    record = eligibility(subject(authorities=[ROOT])).record()
    assert record["listed"] is True
    assert {one["rule"] for one in record["rules"]} == {rule.id for rule in RULES}


def test_the_page_has_every_rule_and_policy():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "scinfo.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| ([\w-]+) \|", page, re.MULTILINE)
    assert rows == [(rule.id, rule.stage.value) for rule in RULES]
    assert all(f"`{name}`" in page for name in POLICY_NAMES)
