# SPDX-License-Identifier: Apache-2.0
"""What a certificate says of itself, as far as Windows looks at it before a logon.

A certificate comes from a card and may be anything: what cannot be read is told, never raised.
"""

import datetime
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

SMART_CARD_LOGON: Final = "1.3.6.1.4.1.311.20.2.2"
CLIENT_AUTHENTICATION: Final = "1.3.6.1.5.5.7.3.2"
ANY_PURPOSE: Final = "2.5.29.37.0"
UPN: Final = "1.3.6.1.4.1.311.20.2.3"
EKU_NAMES: Final = {
    SMART_CARD_LOGON: "smart card logon",
    CLIENT_AUTHENTICATION: "client authentication",
    ANY_PURPOSE: "any purpose",
    "1.3.6.1.5.5.7.3.1": "server authentication",
    "1.3.6.1.5.5.7.3.4": "e-mail protection",
    "2.16.840.1.101.3.6.8": "PIV card authentication",
}
_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_UTF8_STRING: Final = 0x0C
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What reading somebody's certificate may raise."""


class Upn(NamedTuple):
    """A user principal name; ``problem`` says why it is none."""

    name: str
    problem: str = ""


class CertificateFacts(NamedTuple):
    """A certificate for people and rules.

    Attributes:
        der: the certificate.
        subject, issuer: names as RFC 4514 writes them; the subject may be empty.
        serial, thumbprint: in hexadecimal; the thumbprint is its SHA-1, as Windows has it.
        not_before, not_after: when it is valid.
        key: what key it is for, ``RSA-2048`` or ``P-256``.
        usages: of the extension key usage; None where there is none.
        ekus: object identifiers of the extended key usage; None where there is none.
        upns: of the subject's alternative names.
        crl_urls: where its CRLs are.
        is_ca: basic constraints make it a CA's.
        path_length: how many CAs may be below it; None for any number.
        self_signed: it has its own key's signature.
        problem: why some of this could not be read, or empty.
    """

    der: bytes
    subject: str
    issuer: str
    serial: str
    thumbprint: str
    not_before: datetime.datetime
    not_after: datetime.datetime
    key: str
    usages: frozenset[str] | None = None
    ekus: tuple[str, ...] | None = None
    upns: tuple[Upn, ...] = ()
    crl_urls: tuple[str, ...] = ()
    is_ca: bool = False
    path_length: int | None = None
    self_signed: bool = False
    problem: str = ""

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "thumbprint": self.thumbprint,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "key": self.key,
            "key_usage": None if self.usages is None else sorted(self.usages),
            "eku": None if self.ekus is None else list(self.ekus),
            "upn": [upn.name for upn in self.upns if not upn.problem],
            "crl": list(self.crl_urls),
            "ca": self.is_ca,
            "self_signed": self.self_signed,
            "problem": self.problem,
        }


@contextmanager
def quietly() -> Iterator[None]:
    """Do not talk of what a certificate has against the standards to whoever runs this."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@quietly()
def load(der: bytes) -> x509.Certificate | None:
    """Read a certificate; None where it is none, or has no names and dates."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.subject, certificate.issuer, certificate.not_valid_after_utc  # noqa: B018
    except UNREADABLE:
        return None
    return certificate


def public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return a certificate's key; None for one that nobody here knows."""
    try:
        return certificate.public_key()
    except UNREADABLE:
        return None


@quietly()
def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and signature are on a certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


@quietly()
def facts(certificate: x509.Certificate) -> CertificateFacts:
    """Return what there is to know of a certificate that :func:`load` has read."""
    found = CertificateFacts(
        certificate.public_bytes(Encoding.DER),
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        f"{certificate.serial_number:02X}",
        certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name, no secret
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        key_name(public_key(certificate)),
        self_signed=issued(certificate, certificate),
    )
    try:
        extensions = certificate.extensions
    except UNREADABLE as error:
        return found._replace(problem=f"its extensions cannot be read: {_line(error)}")
    for extension in extensions:
        try:
            found = _with(found, extension)
        except UNREADABLE as error:
            problem = f"extension {extension.oid.dotted_string} cannot be read: {_line(error)}"
            found = found._replace(problem=problem)
    return found


def key_name(key: object) -> str:
    """Return what a public key is, for people."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        known = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
        return known.get(key.curve.name, key.curve.name)
    return "unknown" if key is None else type(key).__name__.strip("_").removesuffix("PublicKey")


def _with(
    found: CertificateFacts, extension: x509.Extension[x509.ExtensionType]
) -> CertificateFacts:
    value = extension.value
    if isinstance(value, x509.KeyUsage):
        return found._replace(usages=frozenset(one for one in _USAGES if getattr(value, one)))
    if isinstance(value, x509.ExtendedKeyUsage):
        return found._replace(ekus=tuple(one.dotted_string for one in value))
    if isinstance(value, x509.BasicConstraints):
        return found._replace(is_ca=value.ca, path_length=value.path_length)
    if isinstance(value, x509.SubjectAlternativeName):
        return found._replace(upns=tuple(_upns(value)))
    if extension.oid == ExtensionOID.CRL_DISTRIBUTION_POINTS:
        assert isinstance(value, x509.CRLDistributionPoints)
        urls = tuple(
            name.value
            for point in value
            for name in point.full_name or ()
            if isinstance(name, x509.UniformResourceIdentifier)
        )
        return found._replace(crl_urls=urls)
    return found


def _upns(names: x509.SubjectAlternativeName) -> list[Upn]:
    return [
        _upn(name.value)
        for name in names
        if isinstance(name, x509.OtherName) and name.type_id.dotted_string == UPN
    ]


def _upn(der: bytes) -> Upn:
    """Read the value of a UPN: one UTF8String; its tag is all that is long about it."""
    if der[:1] != bytes((_UTF8_STRING,)):
        return Upn("", f"its value is no UTF8String: {der[:16].hex().upper()}")
    length, start = (der[1:2] or b"\0")[0], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start + length != len(der):
        return Upn("", "its length is wrong")
    try:
        name = der[start:].decode()
    except UnicodeDecodeError:
        return Upn("", "its value is no UTF-8")
    if not name.strip("@ "):
        return Upn(name, "it is empty")
    return Upn(name)


def _line(error: Exception) -> str:
    return " ".join(f"{error}".split())[:120]
