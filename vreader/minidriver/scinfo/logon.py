# SPDX-License-Identifier: Apache-2.0
"""Whether Windows would offer a certificate for a smart card logon, rule by rule.

The rules are those of Microsoft's "Certificate Requirements and Enumeration"; Group Policy lifts
some of them ("Smart Card Group Policy and Registry Settings"). Only the certificate is looked at:
there is no domain controller, no account and no Kerberos here.
"""

import datetime
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.scinfo.certificate import (
    ANY_PURPOSE,
    CLIENT_AUTHENTICATION,
    EKU_NAMES,
    SMART_CARD_LOGON,
    CertificateFacts,
)
from vreader.minidriver.scinfo.chain import Chain
from vreader.minidriver.scinfo.policies import LogonPolicies

_ENUMERATION: Final = "Certificate Requirements and Enumeration"
_LISTING: Final = f"{_ENUMERATION}, step 8"
_DOMAIN: Final = f"{_ENUMERATION}, Smart card root certificate requirements"
_SETTINGS: Final = "Smart Card Group Policy and Registry Settings"


class Stage(Enum):
    """Who looks at a rule."""

    SIGN_IN = "sign-in"  # the credential provider, before it shows a certificate
    DOMAIN = "domain"  # the domain controller, and the way to it
    TLS = "TLS"  # programs that use the certificate for a TLS connection


class Outcome(Enum):
    """What became of a rule."""

    HOLDS = "holds"
    LIFTED = "lifted"  # it does not hold, and a policy does without
    FAILS = "fails"
    OPEN = "open"  # nobody can know it here


class Subject(NamedTuple):
    """What the rules look at.

    Attributes:
        facts: the certificate.
        spec: of the key it belongs to.
        now: when; with a time zone.
        chain: up to its root.
        policies: of the machine.
    """

    facts: CertificateFacts
    spec: KeySpec
    now: datetime.datetime
    chain: Chain
    policies: LogonPolicies = LogonPolicies()


Judged = tuple[Outcome, str]


class Rule(NamedTuple):
    """One rule.

    Attributes:
        id: short and stable.
        stage: who looks at it.
        title: what is demanded.
        source: the page, and where on it.
        judge: says what becomes of it, and why.
    """

    id: str
    stage: Stage
    title: str
    source: str
    judge: Callable[[Subject], Judged]


class Finding(NamedTuple):
    """A rule and what became of it for one certificate."""

    rule: Rule
    outcome: Outcome
    reason: str

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "rule": self.rule.id,
            "stage": self.rule.stage.value,
            "title": self.rule.title,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "source": self.rule.source,
        }


class Eligibility(NamedTuple):
    """All findings for one certificate."""

    findings: tuple[Finding, ...]

    def fails(self, stage: Stage) -> list[Finding]:
        """Return what fails before somebody."""
        return [
            one for one in self.findings if one.rule.stage is stage and one.outcome is Outcome.FAILS
        ]

    @property
    def listed(self) -> bool:
        """Windows would show the certificate on its sign-in screen."""
        return not self.fails(Stage.SIGN_IN)

    @property
    def verdict(self) -> str:
        """The whole in one line."""
        if not self.listed:
            failed = ", ".join(one.rule.id for one in self.fails(Stage.SIGN_IN))
            return f"would not be offered for sign-in: {failed}"
        against = ", ".join(one.rule.id for one in self.fails(Stage.DOMAIN))
        offered = "would be offered for sign-in"
        return f"{offered}; the domain would refuse it: {against}" if against else offered

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "listed": self.listed,
            "verdict": self.verdict,
            "rules": [one.record() for one in self.findings],
        }


def eligibility(subject: Subject) -> Eligibility:
    """Judge a certificate by every rule."""
    return Eligibility(tuple(Finding(rule, *rule.judge(subject)) for rule in RULES))


def _unless(allowed: bool, policy: str, reason: str) -> Judged:
    if allowed:
        return Outcome.LIFTED, f"{reason}; {policy} allows it"
    return Outcome.FAILS, f"{reason} (unless {policy} is set)"


# ---------------------------------------------------------------------- the sign-in screen


def _readable(subject: Subject) -> Judged:
    problem = subject.facts.problem
    return (Outcome.FAILS, problem) if problem else (Outcome.HOLDS, "all of it can be read")


def _validity(subject: Subject) -> Judged:
    seen = subject.facts
    until = f"valid from {seen.not_before:%Y-%m-%d} to {seen.not_after:%Y-%m-%d}"
    if seen.not_before <= subject.now <= seen.not_after:
        return Outcome.HOLDS, until
    when = "not valid yet" if subject.now < seen.not_before else "expired"
    return _unless(
        subject.policies.time_invalid, "AllowTimeInvalidCertificates", f"{when}: {until}"
    )


def _key_place(subject: Subject) -> Judged:
    if subject.spec is not KeySpec.SIGNATURE:
        return Outcome.HOLDS, f"AT_{subject.spec.name}"
    return _unless(subject.policies.signature_keys, "AllowSignatureOnlyKeys", "AT_SIGNATURE")


def _curve(subject: Subject) -> Judged:
    if subject.spec.is_rsa:
        return Outcome.HOLDS, "an RSA key"
    return _unless(
        subject.policies.curves, "EnumerateECCCerts", f"a key on a curve, {subject.facts.key}"
    )


def _upn(subject: Subject) -> Judged:
    for upn in subject.facts.upns:
        if not upn.problem:
            return Outcome.HOLDS, upn.name
    reason = "; ".join(upn.problem for upn in subject.facts.upns) or "there is none"
    return _unless(subject.policies.name_hint, "X509HintsNeeded", reason)


def _key_usage(subject: Subject) -> Judged:
    usages = subject.facts.usages
    if usages is None:
        return Outcome.FAILS, "there is no key usage (that this counts as missing is assumed)"
    told = ", ".join(sorted(one.replace("_", " ") for one in usages)) or "nothing"
    return (Outcome.HOLDS if "digital_signature" in usages else Outcome.FAILS), told


def _eku(subject: Subject) -> Judged:
    ekus = subject.facts.ekus
    told = "there is no EKU" if ekus is None else ", ".join(EKU_NAMES.get(o, o) for o in ekus)
    if ekus is not None and SMART_CARD_LOGON in ekus:
        return Outcome.HOLDS, told
    if ekus is None or ANY_PURPOSE in ekus or CLIENT_AUTHENTICATION in ekus:
        return _unless(subject.policies.no_eku, "AllowCertificatesWithNoEKU", told)
    return Outcome.FAILS, told


# ---------------------------------------------------------------------- the domain


def _crl(subject: Subject) -> Judged:
    urls = subject.facts.crl_urls
    if any(url.lower().startswith("http://") for url in urls):
        return Outcome.HOLDS, ", ".join(urls)
    return Outcome.FAILS, ", ".join(urls) or "there is no CRL distribution point"


def _domain_name(subject: Subject) -> Judged:
    names = [upn.name for upn in subject.facts.upns if not upn.problem]
    for name in names:
        user, _, domain = name.rpartition("@")
        if user and domain:
            return Outcome.HOLDS, f"{domain}, of the UPN"
    if "DC=" in subject.facts.subject:
        return Outcome.HOLDS, f"the subject {subject.facts.subject}"
    reason = "neither a UPN with a domain nor a subject with DC="
    return _unless(subject.policies.name_hint, "X509HintsNeeded", reason)


def _path(subject: Subject) -> Judged:
    problems = subject.chain.problems
    if problems:
        known = not subject.chain.missing or any(link.problem for link in subject.chain.links)
        return (Outcome.FAILS if known else Outcome.OPEN), "; ".join(problems)
    if subject.facts.self_signed:
        return Outcome.FAILS, "it signed itself: no CA of the domain did"
    return Outcome.HOLDS, subject.chain.verdict


def _nt_auth(subject: Subject) -> Judged:
    return Outcome.OPEN, f"is {subject.facts.issuer or 'its issuer'} in the NTAuth store?"


def _client(subject: Subject) -> Judged:
    ekus = subject.facts.ekus
    if ekus is None or ANY_PURPOSE in ekus or CLIENT_AUTHENTICATION in ekus:
        return Outcome.HOLDS, "no EKU: any purpose" if ekus is None else "it is there"
    return Outcome.FAILS, "it is not among its EKUs"


RULES: Final = (
    Rule("readable", Stage.SIGN_IN, "its extensions can be read", "RFC 5280, 4.2", _readable),
    Rule("validity", Stage.SIGN_IN, "it is valid by the computer's clock", _LISTING, _validity),
    Rule("key-place", Stage.SIGN_IN, "it is not in AT_SIGNATURE", _LISTING, _key_place),
    Rule(
        "curve",
        Stage.SIGN_IN,
        "an RSA key, unless curves are allowed",
        f"{_SETTINGS}, Allow ECC certificates to be used for logon and authentication",
        _curve,
    ),
    Rule("upn", Stage.SIGN_IN, "it has a valid UPN, a UTF8String", _LISTING, _upn),
    Rule("key-usage", Stage.SIGN_IN, "its key usage has digital signature", _LISTING, _key_usage),
    Rule("eku", Stage.SIGN_IN, "it has the EKU smart card logon", _LISTING, _eku),
    Rule("crl", Stage.DOMAIN, "an HTTP URL of its CRL is in it", _DOMAIN, _crl),
    Rule("domain-name", Stage.DOMAIN, "UPN or subject name the domain", _DOMAIN, _domain_name),
    Rule(
        "path",
        Stage.DOMAIN,
        "a chain leads to a root",
        f"{_ENUMERATION}, Smart card sign-in flow in Windows, step 12",
        _path,
    ),
    Rule(
        "nt-auth",
        Stage.DOMAIN,
        "the domain's NTAuth store has its issuer",
        f"{_ENUMERATION}, Smart card sign-in flow in Windows, step 12",
        _nt_auth,
    ),
    Rule(
        "client-authentication",
        Stage.TLS,
        "it has the EKU client authentication, where it is for TLS",
        f"{_ENUMERATION}, Certificate requirements",
        _client,
    ),
)
