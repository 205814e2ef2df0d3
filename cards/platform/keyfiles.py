# SPDX-License-Identifier: Apache-2.0
"""Private keys and certificates in files: PEM, DER and PFX, each damage a clear error.

Loads ``cryptography``; import it inside functions.
"""

import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import pkcs12

from cards.platform import provisioning
from vreader.errors import UsageError

Key = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | x25519.X25519PrivateKey
)

_PBES2 = bytes.fromhex("06092A864886F70D01050D")  # marks encrypted PKCS #8 (RFC 8018 app. A.4)
_NO_CERTIFICATE = (ValueError, UnsupportedAlgorithm, x509.InvalidVersion)


def load_key(path: str, password: bytes | None) -> Key:
    """Return the private key in a PEM or DER file, encrypted or not; raises UsageError."""
    raw = provisioning.read(path, "key")
    pem = b"-----BEGIN" in raw
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        try:
            key = load(raw, password)
        except TypeError:
            if password is None:
                raise UsageError(
                    f"the key in {path} is encrypted", hint="give its password with --password"
                ) from None
            key = load(raw, None)  # the password is that of another file
    except (ValueError, UnsupportedAlgorithm) as error:
        if password is not None and (b"ENCRYPTED" in raw if pem else _PBES2 in raw):
            raise UsageError(
                f"the key in {path} cannot be opened with this password", hint="check the password"
            ) from error
        raise UsageError(
            f"{path} holds no private key that can be read",
            hint="it must be PKCS #8 or traditional, PEM or DER; what is in a PFX needs --pfx",
        ) from error
    return _usable(key, path)


def parse_certificate(der: bytes) -> x509.Certificate:
    """Read an X.509 certificate in DER; raises ValueError for anything else."""
    try:
        return x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error


def load_certificate(path: str) -> x509.Certificate:
    """Return the first certificate in a PEM or DER file; raises UsageError."""
    raw = provisioning.read(path, "certificate")
    pem = b"-----BEGIN" in raw
    try:
        return (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(raw)
    except _NO_CERTIFICATE as error:
        raise UsageError(
            f"{path} holds no X.509 certificate", hint="it must be PEM or DER"
        ) from error


def load_pfx(path: str, password: bytes | None) -> tuple[Key, x509.Certificate]:
    """Return key and certificate of a PFX (PKCS #12) file; those of its CAs are left out.

    Raises:
        UsageError: it cannot be opened, or one of the two is missing.
    """
    raw = provisioning.read(path, "PFX file")
    try:
        with warnings.catch_warnings(action="ignore"):  # about serial numbers and BER
            key, certificate, _ = pkcs12.load_key_and_certificates(raw, password)
    except (*_NO_CERTIFICATE, TypeError) as error:
        # A wrong password shows as a wrong MAC: only the structure tells it from another file.
        if raw[:1] != b"\x30" or b"-----BEGIN" in raw:
            raise UsageError(f"{path} is not a PFX file", hint="it must be PKCS #12") from error
        raise UsageError(
            f"{path} cannot be opened with" + (" this password" if password else "out a password"),
            hint="check what --password says" if password else "give it with --password",
        ) from error
    if key is None or certificate is None:
        missing = "private key" if key is None else "certificate for its key"
        raise UsageError(f"{path} has no {missing}", hint="export both together")
    return _usable(key, path), certificate


def check_pair(key: Key, certificate: x509.Certificate, where: str) -> None:
    """Raise UsageError when ``certificate`` is for another key; ``where`` names them to people."""
    try:
        same = _spki(key.public_key()) == _spki(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        same = False
    if not same:
        raise UsageError(
            f"{where}: key and certificate do not belong together",
            hint="give the certificate of this very key, or leave it out to get one made",
        )


def _usable(key: object, path: str) -> Key:
    if not isinstance(key, Key):
        raise UsageError(
            f"{path} holds a key of a kind that no card has", hint="use RSA, EC, Ed25519 or X25519"
        )
    return key


def _spki(public: object) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined,no-any-return]
