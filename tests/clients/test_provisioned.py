# SPDX-License-Identifier: Apache-2.0
"""A card made by ``vreader card new``, used by real programs as it is."""

import shutil
import subprocess

import pki
import pytest

pytestmark = pytest.mark.clients

SLOTS = ("9a:rsa2048", "9c:p256", "9d:rsa2048", "9e:p256", "82:p256")


@pytest.fixture(scope="module")
def card(vreader, tmp_path_factory):
    """A folder with ``alice.card``, whose keys ``ca.pem`` has certified."""
    folder = tmp_path_factory.mktemp("new")
    pki.write_key(folder / "ca.key", pki.SIGNER, "secret")
    pki.write_certificate(folder / "ca.pem", pki.certificate(pki.SIGNER, "CN=ca", ca=True))
    words = ["--subject", "CN=alice", "--upn", "alice@example.org", "--ca", "ca.pem",
             "--ca-key", "ca.key", "--password", "secret", "--pin", "271828"]  # fmt: skip
    slots = [word for slot in SLOTS for word in ("--slot", slot)]
    new = [*vreader, "card", "new", "alice.card", *words, *slots]
    subprocess.run(new, cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def run(serving, stack, card, tmp_path_factory):
    """Run a program in a world with the card."""
    copy = shutil.copy(card / "alice.card", tmp_path_factory.mktemp("work"))
    with serving("--stack", stack, "--card", f"piv,state={copy}") as served:
        yield served.run


def test_opensc_lists_it(need, run):
    said = run(need("pkcs15-tool", "opensc"), "-D").stdout
    assert "PKCS#15 Card [alice]:" in said
    assert said.count("\nPrivate RSA Key") + said.count("\nPrivate EC Key") == len(SLOTS)
    assert said.count("\nX.509 Certificate") == len(SLOTS)


def test_pkcs11_uses_it(need, need_module, run):
    need_module("opensc-pkcs11.so", "opensc-pkcs11")
    tool = need("pkcs11-tool", "opensc")
    said = run(tool, "--module", "opensc-pkcs11.so", "--login", "--pin", "271828", "--test")
    told = said.stdout + said.stderr
    assert "\nNo errors\n" in told
    assert "ERR" not in told


def test_yubico_lists_it(piv_tool, run):
    said = run(*piv_tool, "-a", "status").stdout
    assert said.count("Subject DN:\tCN=alice") == len(SLOTS)
    assert said.count("Issuer DN:\tCN=ca") == len(SLOTS)


@pytest.mark.parametrize(
    ("slot", "purpose"), [("9a", "sslclient"), ("9c", "smimesign"), ("9d", "smimeencrypt")]
)
def test_openssl_trusts_it(need, piv_tool, run, card, tmp_path, slot, purpose):
    path = tmp_path / "c.pem"
    run(*piv_tool, "-a", "read-certificate", "-s", slot, "-o", path)
    verify = [need("openssl", "openssl"), "verify", "-x509_strict", "-purpose", purpose]
    done = subprocess.run(
        [*verify, "-CAfile", card / "ca.pem", path], capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{path}: OK\n", done.stderr
