# SPDX-License-Identifier: Apache-2.0
"""What the certificate propagation service (CertPropSvc) would copy, and where.

From Microsoft's "Certificate Propagation Service": certificates of keys go to the user's Personal
store, root certificates of the card to the trusted smart card roots of the computer, both as Group
Policy has it. The store Root itself is never written. That certificates of intermediate CAs which
are on a card go to the store CA is assumed: no page says so.
"""

from enum import Enum
from typing import NamedTuple

from vreader.minidriver.scinfo.certificate import CertificateFacts
from vreader.minidriver.scinfo.policies import PropagationPolicies


class Store(Enum):
    """A certificate store."""

    PERSONAL = r"CurrentUser\My"
    INTERMEDIATE = r"CurrentUser\CA"
    SMART_CARD_ROOTS = r"LocalMachine\SmartCardRoot"
    NONE = "none"


class Propagated(NamedTuple):
    """Where one certificate goes.

    Attributes:
        subject: whose it is.
        store: where it goes.
        why: the reason, in a line.
    """

    subject: str
    store: Store
    why: str

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {"subject": self.subject, "store": self.store.value, "why": self.why}


def of_key(facts: CertificateFacts, provider: str, policies: PropagationPolicies) -> Propagated:
    """Say where the certificate of a key goes; ``provider`` is what its key is then found by."""
    subject = facts.subject or "(no subject)"
    if not policies.certificates:
        return Propagated(subject, Store.NONE, "CertPropEnabled is 0")
    return Propagated(subject, Store.PERSONAL, f"its key is found through {provider}")


def of_authority(facts: CertificateFacts, policies: PropagationPolicies) -> Propagated:
    """Say where a certificate of the card's list of roots goes."""
    if not policies.certificates:
        return Propagated(facts.subject, Store.NONE, "CertPropEnabled is 0")
    if not facts.self_signed:
        return Propagated(facts.subject, Store.INTERMEDIATE, "an intermediate CA (assumed)")
    if not policies.roots:
        return Propagated(facts.subject, Store.NONE, "EnableRootCertificatePropagation is 0")
    return Propagated(facts.subject, Store.SMART_CARD_ROOTS, "a root, never to Root itself")
