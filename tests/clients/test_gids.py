# SPDX-License-Identifier: Apache-2.0
"""OpenSC's gids driver: gids-tool, pkcs15-init, pkcs15-tool, pkcs11-tool, opensc-tool."""

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cards.gids import KIND, TPMVSC
from vreader.card import FileStore

pytestmark = pytest.mark.clients

MODULE = "opensc-pkcs11.so"
OLD_KEY, NEW_KEY = "00" * 24, "0102030405060708" * 3
SERIAL = "00112233445566778899AABBCCDDEEFF"
MESSAGE = b"A message of some length that is to be signed or kept secret."
AUTH = ("--verify-pin", "--auth-id", "80", "--pin", "123456")


@pytest.fixture(scope="module")
def start(serving, stack):
    """Start a world with a card, for more than one test."""
    return lambda card: serving("--stack", stack, "--card", card)


@pytest.fixture(scope="module")
def sign(need, need_module):
    """Sign and decipher with pkcs11-tool; check everything with cryptography."""
    need_module(MODULE, "opensc-pkcs11")
    pkcs11_tool = need("pkcs11-tool", "opensc")

    def check(served, directory, key, number="00", pin="123456", *, decipher=True):
        source, result = directory / "in", directory / "out"
        tool = (pkcs11_tool, "--module", MODULE, "--login", "--pin", pin, "--id", number)
        source.write_bytes(MESSAGE)
        served.run(*tool, "--sign", "-m", "SHA256-RSA-PKCS", "-i", source, "-o", result)
        key.verify(result.read_bytes(), MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        if decipher:
            source.write_bytes(key.encrypt(MESSAGE, padding.PKCS1v15()))
            served.run(*tool, "--decrypt", "-m", "RSA-PKCS", "-i", source, "-o", result)
            assert result.read_bytes() == MESSAGE

    return check


@pytest.fixture(scope="module")
def initialised(start, need, tmp_path_factory):
    """A card that gids-tool initialised, with a key made on it and a key made elsewhere."""
    pem = tmp_path_factory.mktemp("gids") / "key.pem"
    private = rsa.generate_private_key(65537, 2048)
    pem.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    init = need("pkcs15-init", "opensc")
    with start("gids:blank") as served:
        served.run(
            need("gids-tool", "opensc"), "--initialize", "--pin", "123456",
            "--admin-key", OLD_KEY, "--serial-number", SERIAL,
        )  # fmt: skip
        served.run(init, *AUTH, "--generate-key", "rsa/2048", "--id", "2",
                   "--key-usage", "decrypt,sign")  # fmt: skip
        served.run(init, *AUTH, "--store-private-key", pem, "--id", "3")
        served.imported = private
        yield served


def test_the_card_is_recognised(initialised, need):
    assert initialised.run(need("opensc-tool", "opensc"), "-n").stdout == "GIDS Smart Card\n"


def test_keys_and_their_use(initialised, need, sign, tmp_path):
    tool = need("pkcs15-tool", "opensc")
    dump = initialised.run(tool, "-D").stdout
    assert f"Serial number  : {SERIAL.lower()}\n" in dump
    assert re.findall(r"^(P\w+ RSA Key) \[(.*)\]$", dump, re.MULTILINE) == [
        ("Private RSA Key", "Private Key 00"), ("Private RSA Key", "Private Key 10"),
        ("Public RSA Key", "Private Key 00"), ("Public RSA Key", "Private Key 10"),
    ]  # fmt: skip
    public = initialised.run(tool, "--read-public-key", "00").stdout.encode()
    sign(initialised, tmp_path, serialization.load_pem_public_key(public))
    imported = initialised.imported.public_key()
    sign(initialised, tmp_path, imported, "01", decipher=False)


def test_storing_a_certificate(initialised, need, certify, tmp_path):
    public, certificate = tmp_path / "pub", tmp_path / "crt"
    tool = need("pkcs15-tool", "opensc")
    public.write_text(initialised.run(tool, "--read-public-key", "00").stdout)
    certify(public, certificate)
    initialised.run(need("pkcs15-init", "opensc"), *AUTH, "--store-certificate", certificate,
                    "--id", "00")  # fmt: skip
    read = initialised.run(tool, "--read-certificate", "00").stdout
    assert read.split() == certificate.read_text().split()


def test_the_tool_tests_the_token(initialised, need, need_module):
    need_module(MODULE, "opensc-pkcs11")
    tool = (need("pkcs11-tool", "opensc"), "--module", MODULE, "--login", "--pin", "123456")
    done = initialised.run(*tool, "--test", code=None)
    # OpenSC's gids driver offers no random numbers; everything else works.
    errors = [line for line in done.stderr.splitlines() if "ERR" in line]
    assert all("C_GenerateRandom" in line for line in errors)
    assert done.stdout.splitlines()[-1] == (f"{len(errors)} errors" if errors else "No errors")
    assert done.stdout.count(": OK\n") > 10


def test_admin_key_and_unblocking(initialised, need):
    gids_tool, tool = need("gids-tool", "opensc"), need("pkcs15-tool", "opensc")
    change = (gids_tool, "--change-admin-key", "--admin-key")
    initialised.run(*change, NEW_KEY, "--new-admin-key", NEW_KEY, code=1)
    initialised.run(*change, OLD_KEY, "--new-admin-key", NEW_KEY)
    for _ in range(3):
        initialised.run(tool, "--verify-pin", "--pin", "999999", code=255)
    initialised.run(tool, "--verify-pin", "--pin", "123456", code=255)
    initialised.run(gids_tool, "--unblock", "--pin", "654321", "--admin-key", OLD_KEY, code=1)
    initialised.run(gids_tool, "--unblock", "--pin", "654321", "--admin-key", NEW_KEY)
    initialised.run(tool, "--verify-pin", "--pin", "654321")
    initialised.run(tool, "--change-pin", "--pin", "654321", "--new-pin", "123456")
    initialised.run(tool, "--verify-pin", "--pin", "123456")


@pytest.mark.parametrize(("kind", "pin"), [(KIND, "123456"), (TPMVSC, "12345678")])
def test_a_ready_made_card(start, need, sign, tmp_path, kind, pin):
    path = tmp_path / "a.card"
    card = kind.create("windows", {}, FileStore(str(path)), None)
    kind.provision(card, {"slot": ["rsa2048"], "subject": ["CN=alice"]})
    card.close()
    with start(f"{kind.name},state={path}") as served:
        tool = need("pkcs15-tool", "opensc")
        dump = served.run(tool, "-D").stdout
        for word in ("Private RSA Key", "Public RSA Key", "X.509 Certificate"):
            assert dump.count(word) == 1
        read = served.run(tool, "--read-certificate", "00").stdout
        certificate = x509.load_pem_x509_certificate(read.encode())
        assert certificate.subject.rfc4514_string() == "CN=alice"
        sign(served, tmp_path, certificate.public_key(), pin=pin)
        served.run(need("pkcs15-init", "opensc"), "--verify-pin", "--auth-id", "80", "--pin", pin,
                   "--generate-key", "rsa/1024", "--id", "9", "--key-usage", "sign")  # fmt: skip
        assert served.run(tool, "-D").stdout.count("Private RSA Key") == 2
