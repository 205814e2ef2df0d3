# SPDX-License-Identifier: Apache-2.0
"""OpenSSL with its PKCS #11 engine (libp11) and OpenSC's module."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

pytestmark = pytest.mark.clients

IDS = {"9a": "%01", "9c": "%02", "9e": "%04"}


@pytest.fixture(scope="module")
def openssl(need, need_module, card_world):
    """Run openssl with the engine."""
    program = need("openssl", "openssl")
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")
    need_module("engines-3/pkcs11.so", "libengine-pkcs11-openssl")

    def run(command: str, *words, **options):
        engine = ("-engine", "pkcs11", "-keyform", "engine")
        path = f"PKCS11_MODULE_PATH={module}"
        return card_world.run("env", path, program, command, *engine, *words, **options)

    return run


def key(slot: str) -> str:
    return f"pkcs11:id={IDS[slot]};type=private?pin-value=123456"


@pytest.mark.parametrize("slot", ["9a", "9c", "9e"])
def test_signing(openssl, public_key, tmp_path, slot):
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(b"to be signed")
    # The engine asks again before each use of 9C. Where there is no terminal it reads our input;
    # our own session makes sure that there is none.
    pin = tmp_path / "pin"
    pin.write_text("123456\n")
    with pin.open() as typed:
        openssl(
            *("dgst", "-sha256", "-sign", key(slot), "-out", signature, message),
            stdin=typed,
            start_new_session=True,
        )
    kind = (ec.ECDSA(hashes.SHA256()),)
    if slot in ("9a", "9c"):
        kind = (padding.PKCS1v15(), hashes.SHA256())
    public_key(slot).verify(signature.read_bytes(), message.read_bytes(), *kind)


@pytest.mark.parametrize("slot", ["9a", "9e"])
def test_certificate_request(openssl, public_key, tmp_path, slot):
    request = tmp_path / "request"
    openssl("req", "-new", "-key", key(slot), "-subj", "/CN=engine", "-out", request)
    made = x509.load_pem_x509_csr(request.read_bytes())
    assert made.is_signature_valid
    assert made.public_key() == public_key(slot)


@pytest.mark.parametrize("slot", ["9a", "9e"])
def test_self_signed_certificate(openssl, public_key, tmp_path, slot):
    path = tmp_path / "certificate"
    openssl("req", "-new", "-x509", "-key", key(slot), "-subj", "/CN=engine", "-out", path)
    made = x509.load_pem_x509_certificate(path.read_bytes())
    made.verify_directly_issued_by(made)
    assert made.public_key() == public_key(slot)


def test_decryption(openssl, public_key, tmp_path):
    cipher, plain = tmp_path / "cipher", tmp_path / "plain"
    cipher.write_bytes(public_key("9a").encrypt(b"secret", padding.PKCS1v15()))
    openssl("pkeyutl", "-decrypt", "-inkey", key("9a"), "-in", cipher, "-out", plain)
    assert plain.read_bytes() == b"secret"
