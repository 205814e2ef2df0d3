# SPDX-License-Identifier: Apache-2.0
"""X.509 certificates for cards: issued for a key and a use, and loaded, with keys, from files.

What a kind does with the options of :data:`cards.platform.provisioning.OPTIONS` starts here::

    issuer = Issuer.of(options)                       # subject, CA, days: checked before any change
    certificate = issuer.certify(key, Usage.SIGNATURE)
    key, certificate = load_pfx(path, password)

Loads ``cryptography``; import it inside functions.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cards.platform import provisioning
from cards.platform.keyfiles import Key, check_pair, load_certificate, load_key
from cards.platform.provisioning import Provisioning
from vreader.errors import UsageError
from vreader.iso7816 import Tlv

DEFAULT_SUBJECT = "CN=vreader"
_UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")  # szOID_NT_PRINCIPAL_NAME
_PIV_CARD_AUTHENTICATION = x509.ObjectIdentifier("2.16.840.1.101.3.6.8")  # FIPS 201-3 app. B
_MAX_NAME = 1024
# What RFC 4514 has no short name for, and openssl has.
_NAMES = {
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "E": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "GN": NameOID.GIVEN_NAME,
    "SN": NameOID.SURNAME,
    "title": NameOID.TITLE,
}


class Usage(Enum):
    """What a key is for; the value is the extended key usage of its certificate."""

    AUTHENTICATION = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SMARTCARD_LOGON)
    EXCHANGE = (
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SMARTCARD_LOGON,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
    )  # Windows' AT_KEYEXCHANGE: one key that signs and decrypts
    SIGNATURE = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
    KEY_MANAGEMENT = (ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.SMARTCARD_LOGON)
    CARD_AUTHENTICATION = (_PIV_CARD_AUTHENTICATION, ExtendedKeyUsageOID.CLIENT_AUTH)


class Issuer(NamedTuple):
    """Who certifies the keys of one card, and what is said about its holder.

    Attributes:
        subject: name of the holder.
        names: subject alternative names.
        days: how long certificates are valid.
        ca: certificate and key of the CA; None for certificates signed by the key itself.
    """

    subject: x509.Name
    names: tuple[x509.GeneralName, ...] = ()
    days: int = 3650
    ca: tuple[x509.Certificate, Key] | None = None

    @classmethod
    def of(cls, options: Provisioning) -> "Issuer":
        """Return what the options ask for; raises UsageError."""
        subject = parse_subject(provisioning.one(options, "subject", DEFAULT_SUBJECT))
        names = [_email(text) for text in options.get("email", ())]
        names += [_upn(text) for text in options.get("upn", ())]
        return cls(subject, tuple(names), provisioning.days(options), _ca(options))

    def certify(self, key: Key, usage: Usage) -> x509.Certificate:
        """Issue a certificate for ``key``.

        An X25519 key cannot sign: without a CA, its certificate is of an issuer whose key is
        thrown away.
        """
        issuer, signer = self.ca or (None, key)
        if issuer is not None:
            name, authority = issuer.subject, issuer.public_key()
        elif isinstance(key, x25519.X25519PrivateKey):
            signer = ec.generate_private_key(ec.SECP256R1())
            name, authority = parse_subject("CN=vreader throw-away CA"), signer.public_key()
        else:
            name, authority = self.subject, key.public_key()
        now = datetime.now(UTC).replace(microsecond=0)
        public = key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=self.days))
            .public_key(public)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(key, usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usage.value), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(_authority(issuer, authority), critical=False)
        )
        if self.names:
            builder = builder.add_extension(x509.SubjectAlternativeName(self.names), critical=False)
        assert not isinstance(signer, x25519.X25519PrivateKey), "a CA that cannot sign is refused"
        hashing = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return builder.sign(signer, hashing)


def parse_subject(text: str) -> x509.Name:
    """Read a distinguished name as in RFC 4514; raises UsageError."""
    hint = "for example CN=alice,O=Example"
    if not 1 <= len(text) <= _MAX_NAME or not text.isprintable():
        raise UsageError(f"a subject has 1 to {_MAX_NAME} printable characters", hint=hint)
    try:
        return x509.Name.from_rfc4514_string(text, _NAMES)
    except (ValueError, KeyError) as error:
        if text.startswith("/"):
            hint = "with commas between its parts, and without the slash: CN=alice,O=Example"
        reason = f": {error}" if "length" in str(error) else ""
        raise UsageError(
            f"subject {text!r} is not a distinguished name{reason}", hint=hint
        ) from error


def told(certificate: x509.Certificate) -> str:
    """Return what people are told of a certificate: its subject, and when it expired."""
    until = certificate.not_valid_after_utc
    ended = f", expired {until:%Y-%m-%d}" if until < datetime.now(UTC) else ""
    names = {identifier: name for name, identifier in reversed(_NAMES.items())}
    return f"certificate {certificate.subject.rfc4514_string(names)}{ended}"


# ---------------------------------------------------------------------- parts of certificates


def _key_usage(key: Key, usage: Usage) -> x509.KeyUsage:
    agrees = isinstance(key, x25519.X25519PrivateKey)
    hides = usage in (Usage.KEY_MANAGEMENT, Usage.EXCHANGE)
    signs = usage is not Usage.KEY_MANAGEMENT or isinstance(key, ed25519.Ed25519PrivateKey)
    return x509.KeyUsage(
        digital_signature=not agrees and signs,
        content_commitment=not agrees and usage is Usage.SIGNATURE,
        key_encipherment=hides and isinstance(key, rsa.RSAPrivateKey),
        data_encipherment=False,
        key_agreement=agrees or (hides and isinstance(key, ec.EllipticCurvePrivateKey)),
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(issuer: x509.Certificate | None, public: object) -> x509.AuthorityKeyIdentifier:
    """Return what names the key of the issuer: its own identifier where its certificate has one."""
    if issuer is not None:
        try:
            own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
        except x509.ExtensionNotFound:
            pass
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)  # type: ignore[arg-type]


def _email(text: str) -> x509.GeneralName:
    try:
        local, _, domain = text.rpartition("@")
        if not local or not domain or " " in text or not text.isprintable():
            raise ValueError
        return x509.RFC822Name(text)
    except ValueError as error:
        raise UsageError(
            f"email {text!r} is not a mail address", hint="for example alice@example.org"
        ) from error


def _upn(text: str) -> x509.GeneralName:
    if "@" not in text or not text.isprintable() or len(text) > _MAX_NAME:
        raise UsageError(
            f"upn {text!r} is not a user principal name", hint="for example alice@example.org"
        )
    return x509.OtherName(_UPN, bytes(Tlv(0x0C, text.encode())))


def _ca(options: Provisioning) -> tuple[x509.Certificate, Key] | None:
    files = [provisioning.one(options, name) for name in ("ca", "ca-key")]
    if not any(files):
        return None
    if not all(files):
        raise UsageError(
            "a CA needs its certificate and its private key", hint="give both --ca and --ca-key"
        )
    certificate = load_certificate(provisioning.located(options, files[0]))
    path = provisioning.located(options, files[1])
    key = load_key(path, provisioning.password(options))
    check_pair(key, certificate, "CA")
    if isinstance(key, x25519.X25519PrivateKey) or not _may_issue(certificate):
        raise UsageError(
            f"the certificate in {files[0]} is not that of a CA",
            hint="its basic constraints must say CA:TRUE, its key usage keyCertSign",
        )
    return certificate, key


def _may_issue(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate allows its key to issue others (RFC 5280 §4.2.1.3, §4.2.1.9)."""
    try:
        extensions = certificate.extensions
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return basic.ca
    return basic.ca and usage.key_cert_sign
