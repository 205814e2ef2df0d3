# SPDX-License-Identifier: Apache-2.0
"""X.509 certificates of a PIV card: the object that holds one, and attestations.

Loads ``cryptography``; imported only when a certificate is made.
"""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.x509.oid import NameOID

from cards.piv.keys import KeyRecord
from cards.platform.keyfiles import parse_certificate
from vreader.iso7816 import Tlv

# Attestations say nothing about time; the card has no clock.
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)
_YUBICO_PIV = "1.3.6.1.4.1.41482.3"
FIRMWARE, SERIAL, POLICIES, FORM_FACTOR = (
    x509.ObjectIdentifier(f"{_YUBICO_PIV}.{n}") for n in (3, 7, 8, 9)
)
USB_A_KEYCHAIN = 1
_LONGEST = 1 << 16


def certificate_object(certificate: x509.Certificate) -> bytes:
    """Wrap a certificate as a PIV data object holds it, uncompressed (800-73-5 part 1 app. A).

    Returns the value of tag 53.
    """
    der = certificate.public_bytes(serialization.Encoding.DER)
    return bytes(Tlv(0x70, der)) + bytes(Tlv(0x71, b"\0")) + bytes(Tlv(0xFE))


def read_certificate_object(value: bytes) -> x509.Certificate:
    """Return the certificate in the value of tag 53, which may be compressed; raises ValueError."""
    found = {tlv.tag: tlv.value for tlv in Tlv.iter(value)}
    if 0x70 not in found:
        raise ValueError("the object holds no certificate")
    der = found[0x70]
    if found.get(0x71, b"")[:1] == b"\x01":  # CertInfo bit 1 (800-73-5 part 1 app. A table 11)
        der = _decompress(der)
    return parse_certificate(der)


def _decompress(packed: bytes) -> bytes:
    """Undo gzip or zlib; a few bytes of it can stand for gigabytes, so no more than is sensible."""
    import zlib

    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(packed, _LONGEST)
    except zlib.error as error:
        raise ValueError("the compressed certificate is damaged") from error


def attestation_issuer(record: KeyRecord) -> x509.Certificate:
    """Make the self-signed certificate of an attestation key."""
    key = record.to_cryptography()
    name = _common_name("vreader PIV Attestation")
    return _sign(
        _builder(name, name, _FROM, _UNTIL)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True),
        record,
    )


def attest(
    slot: int,
    record: KeyRecord,
    issuer: tuple[KeyRecord, bytes],
    version: tuple[int, int, int],
    serial: int,
) -> bytes:
    """Certify in DER that the key of ``slot`` was generated on this card.

    Args:
        slot: the key reference.
        record: the key.
        issuer: the attestation key and the value of its certificate object.
        version: firmware version, extension .3.3.
        serial: serial number of the card, extension .3.7.

    Raises:
        ValueError: the certificate object of the issuer cannot be read, or its key cannot sign.
    """
    signer, issuer_object = issuer
    issuer_name = read_certificate_object(issuer_object).subject
    serial_der = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    builder = _builder(
        _common_name(f"YubiKey PIV Attestation {slot:02x}"), issuer_name, _FROM, _UNTIL
    ).public_key(record.to_cryptography().public_key())
    for oid, value in (
        (FIRMWARE, bytes(version)),
        (SERIAL, bytes(Tlv(0x02, serial_der))),
        (POLICIES, bytes(record.policies)),
        (FORM_FACTOR, bytes((USB_A_KEYCHAIN,))),
    ):
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return _sign(builder, signer).public_bytes(serialization.Encoding.DER)


def _sign(builder: x509.CertificateBuilder, signer: KeyRecord) -> x509.Certificate:
    key = signer.to_cryptography()
    if isinstance(key, X25519PrivateKey):
        raise ValueError("an X25519 key cannot sign")
    return builder.sign(key, None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, valid_from: datetime, valid_until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
