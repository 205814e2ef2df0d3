# SPDX-License-Identifier: Apache-2.0
"""GnuTLS's p11tool and certtool with OpenSC's module."""

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.clients

TOKEN = "pkcs11:manufacturer=piv_II"
IDS = {"9a": "%01", "9c": "%02", "9e": "%04"}


@pytest.fixture(scope="module")
def gnutls(need, need_module, card_world):
    """Run a program of GnuTLS with the module and the PIN."""
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")

    def run(program: str, *words, code: int = 0) -> str:
        path = need(program, "gnutls-bin")
        command = ("env", "GNUTLS_PIN=123456", path, "--provider", module, *words)
        done = card_world.run(*command, code=code)
        return done.stdout + done.stderr

    return run


def test_listing(gnutls):
    said = gnutls("p11tool", "--list-tokens")
    assert "Label: vreader test\n" in said
    assert "Flags: RNG, Requires login\n" in said
    said = gnutls("p11tool", "--login", "--list-all", TOKEN)
    for kind, number in (("X.509 Certificate", 4), ("Private key", 4), ("Public key", 4)):
        assert len(re.findall(rf"Type: {re.escape(kind)} \((RSA|EC)", said)) == number


@pytest.mark.parametrize("slot", ["9a", "9c", "9e"])
def test_signing(gnutls, slot):
    said = gnutls("p11tool", "--login", "--test-sign", f"{TOKEN};id={IDS[slot]}")
    assert "Verifying against private key parameters... ok" in said
    assert "Verifying against public key in the token... ok" in said


@pytest.mark.parametrize("slot", ["9a", "9e"])
def test_certificate_request(gnutls, public_key, tmp_path, slot):
    template, request = tmp_path / "template", tmp_path / "request"
    template.write_text('cn = "gnutls"\n')
    key = f"{TOKEN};id={IDS[slot]};type=private"
    gnutls(
        *("certtool", "--generate-request", "--load-privkey", key),
        *("--load-pubkey", f"{TOKEN};id={IDS[slot]};type=public"),
        *("--template", template, "--outfile", request),
    )
    made = x509.load_pem_x509_csr(request.read_bytes())
    assert made.is_signature_valid
    info = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert made.public_key().public_bytes(*info) == public_key(slot).public_bytes(*info)
