# SPDX-License-Identifier: Apache-2.0
"""NSS, what Firefox and Chromium use: its tools with OpenSC's module."""

from pathlib import Path

import pytest
from cryptography import x509

pytestmark = pytest.mark.clients

CERTIFICATES = {
    "9a": "Certificate for PIV Authentication",
    "9c": "Certificate for Digital Signature",
    "9e": "Certificate for Card Authentication",
}


@pytest.fixture(scope="module")
def nss(need, need_module, card_world, authority, tmp_path_factory):
    """Run a tool of NSS with a database that knows the module and trusts our authority."""
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")
    directory = tmp_path_factory.mktemp("nss")
    (directory / "pin").write_text("123456\n")
    database = f"sql:{directory}"

    def run(program: str, *words, code: int = 0) -> str:
        tool = need(program, "libnss3-tools")
        path = "-dbdir" if program == "modutil" else "-d"
        done = card_world.run(tool, path, database, *words, code=code)
        return done.stdout + done.stderr

    run("certutil", "-N", "--empty-password")
    run("certutil", "-A", "-n", "authority", "-t", "CT,CT,CT", "-i", authority)
    run("modutil", "-force", "-add", "card", "-libfile", module)
    run.pin = directory / "pin"
    return run


def test_listing(nss):
    said = nss("modutil", "-list")
    assert "slot: Yubico YubiKey CCID 00 00\n" in said
    assert "token: vreader test\n" in said
    certificates = nss("certutil", "-L", "-h", "all", "-f", nss.pin)
    for name in CERTIFICATES.values():
        assert f"vreader test:{name} " in certificates
    keys = nss("certutil", "-K", "-h", "vreader test", "-f", nss.pin)
    for name in ("PIV AUTH key", "SIGN key", "KEY MAN key", "CARD AUTH key"):
        assert name in keys


@pytest.mark.parametrize("slot", ["9a", "9e"])
def test_certificate_request(nss, public_key, tmp_path, slot):
    request = tmp_path / "request"
    key = {"9a": "01", "9e": "04"}[slot]
    nss(
        *("certutil", "-R", "-h", "vreader test", "-f", nss.pin, "-k", key),
        *("-s", "CN=nss", "-a", "-o", request),
    )
    made = x509.load_pem_x509_csr(request.read_bytes())
    assert made.is_signature_valid
    assert made.public_key() == public_key(slot)


@pytest.mark.parametrize("slot", ["9a", "9c", "9e"])
def test_signed_message(nss, need, authority: Path, card_world, tmp_path, slot):
    message, signed, back = (tmp_path / name for name in ("message", "signed", "back"))
    message.write_text("to be signed\n")
    nss(
        *("cmsutil", "-S", "-f", nss.pin, "-N", f"vreader test:{CERTIFICATES[slot]}"),
        *("-H", "SHA256", "-i", message, "-o", signed),
    )
    card_world.run(
        *(need("openssl", "openssl"), "cms", "-verify", "-inform", "DER", "-in", signed),
        *("-binary", "-CAfile", authority, "-purpose", "any", "-out", back),
    )
    assert back.read_text() == message.read_text()
