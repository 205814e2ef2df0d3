# SPDX-License-Identifier: Apache-2.0
"""Keys, certificates and PFX files as people bring them to a card."""

import datetime
import random
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

DAY = datetime.timedelta(days=1)
SIGNER = ec.derive_private_key(7, ec.SECP256R1())


def encryption(password):
    return BestAvailableEncryption(password.encode()) if password else NoEncryption()


def certificate(key, name="CN=bob", *, signer=None, ca=False, until=DAY, filler=0):
    """A certificate for ``key``; expired with a negative ``until``, huge with ``filler`` bytes."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(name))
        .issuer_name(x509.Name.from_rfc4514_string(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 9 * DAY)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if ca:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        may = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, **may), critical=True)
    if filler:
        junk = random.Random(filler).randbytes(filler)  # nothing that compresses
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), junk)
        builder = builder.add_extension(extension, critical=False)
    signer = signer or key
    return builder.sign(
        signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )


def write_key(path: Path, key, password=None, encoding=Encoding.PEM, form=PrivateFormat.PKCS8):
    path.write_bytes(key.private_bytes(encoding, form, encryption(password)))
    return path


def write_certificate(path: Path, made, encoding=Encoding.PEM):
    path.write_bytes(made.public_bytes(encoding))
    return path


def write_pfx(path: Path, key, made, password=None, chain=None):
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"bob", key, made, chain, encryption(password))
    )
    return path
