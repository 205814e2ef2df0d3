# SPDX-License-Identifier: Apache-2.0
"""Enrolment: a key is made, a certificate issued for it and written to the card."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host.containers import Container

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateSigningRequest

    from vreader.minidriver.host.provider import CryptoProvider


class Enrolled(NamedTuple):
    """What enrolment has put on the card."""

    container: Container
    certificate: "Certificate"


def enrol(
    provider: "CryptoProvider",
    subject: str,
    issue: "Callable[[CertificateSigningRequest], Certificate]",
    *,
    spec: KeySpec,
    bits: int,
    name: str,
) -> Enrolled:
    """Do what :meth:`CryptoProvider.enrol` promises."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    from vreader.minidriver.host.cardkey import card_key

    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name.from_rfc4514_string(subject)
    )
    container = provider.generate(spec, bits=bits, name=name)
    try:
        signer: Any = card_key(provider, container.number, spec)
        certificate = issue(builder.sign(signer, hashes.SHA256()))
        der = certificate.public_bytes(Encoding.DER)
        provider.write_certificate(der, container.number, spec)
    except BaseException:
        if len(container.keys) == 1:  # else a key would go with it that was there before
            with suppress(MinidriverError):
                provider.delete(container.number)
        raise
    return Enrolled(container, certificate)
