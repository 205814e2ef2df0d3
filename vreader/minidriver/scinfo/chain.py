# SPDX-License-Identifier: Apache-2.0
"""From a certificate up to a root, as far as the certificates at hand reach.

Names and signatures are checked, that an issuer is a CA that may sign certificates for as many CAs
below it, and when each is valid. Revocation, name constraints and policies are not: nothing is
fetched.
"""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509

from vreader.minidriver.scinfo.certificate import facts, issued, quietly


class Link(NamedTuple):
    """One certificate of a chain.

    Attributes:
        subject: whose it is.
        source: where it was found: ``card`` or a file's name.
        problem: what is wrong with it, or empty.
    """

    subject: str
    source: str
    problem: str = ""


class Authority(NamedTuple):
    """A certificate that may be an issuer's.

    Attributes:
        certificate: it.
        source: ``card``, or the file it is from.
        trusted: somebody named it, so that a chain may end in it.
    """

    certificate: x509.Certificate
    source: str
    trusted: bool = False


class Chain(NamedTuple):
    """A chain.

    Attributes:
        links: from the certificate to the last issuer that was found.
        missing: the issuer that was not, or empty.
        trusted: it ends in a root that somebody named.
    """

    links: tuple[Link, ...]
    missing: str = ""
    trusted: bool = False

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong."""
        found = [f"{link.subject}: {link.problem}" for link in self.links if link.problem]
        if self.missing:
            found.append(f"no certificate of its issuer {self.missing} is at hand")
        return found

    @property
    def verdict(self) -> str:
        """The whole in one line."""
        if self.problems:
            return "; ".join(self.problems)
        return "complete" if self.trusted else "complete, to a root that nobody named as trusted"

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "links": [link._asdict() for link in self.links],
            "missing": self.missing,
            "trusted": self.trusted,
            "verdict": self.verdict,
        }


@quietly()
def build(
    certificate: x509.Certificate,
    authorities: Sequence[Authority],
    now: datetime.datetime,
    source: str = "card",
) -> Chain:
    """Build the chain of a certificate.

    Args:
        certificate: the lowest one.
        authorities: where its issuers are looked for; of several, one that is valid now is taken,
            of those a root, and of those one that is trusted. None is taken twice.
        now: when; with a time zone.
        source: of the certificate.
    """
    links = [Link(_subject(certificate), source, _time_problem(certificate, now))]
    trusted = any(one.trusted and one.certificate == certificate for one in authorities)
    current = certificate
    below = [certificate]
    while not issued(current, current):
        found = [
            one
            for one in authorities
            if one.certificate not in below and issued(current, one.certificate)
        ]
        if not found:
            return Chain(tuple(links), current.issuer.rfc4514_string() or "without a name")
        best = min(
            found,
            key=lambda one: (
                _problem(one.certificate, now, below) != "",
                not issued(one.certificate, one.certificate),
                not one.trusted,
            ),
        )
        current = best.certificate
        trusted = best.trusted
        links.append(Link(_subject(current), best.source, _problem(current, now, below)))
        below.append(current)
    return Chain(tuple(links), trusted=trusted)


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "(no subject)"


def _problem(
    certificate: x509.Certificate, now: datetime.datetime, below: list[x509.Certificate]
) -> str:
    """Return what is wrong with an issuer above these certificates (RFC 5280, 6.1.4)."""
    late = _time_problem(certificate, now)
    if late:
        return late
    seen = facts(certificate)
    if not seen.is_ca:
        return "it is no CA's certificate"
    if seen.usages is not None and "key_cert_sign" not in seen.usages:
        return "its key usage is not to sign certificates"
    cas = sum(one.subject != one.issuer for one in below[1:])  # self-issued ones do not count
    if seen.path_length is not None and cas > seen.path_length:
        return f"it has {cas} CAs below it, and may have {seen.path_length}"
    return ""


def _time_problem(certificate: x509.Certificate, now: datetime.datetime) -> str:
    if now < certificate.not_valid_before_utc:
        return f"not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return ""
