# SPDX-License-Identifier: Apache-2.0
"""pkcs11-tool with OpenSC's module and with Yubico's."""

import contextlib
import re
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

pytestmark = pytest.mark.clients

MODULES = {"opensc": "opensc-pkcs11.so", "ykcs11": "libykcs11.so"}
IDS = {"9a": "01", "9c": "02", "9d": "03", "9e": "04"}
MESSAGE = b"A message of some length that is to be signed or kept secret."
# libykcs11 looks for readers of Yubico's alone.
READER = "Yubico YubiKey CCID 00 00"


@pytest.fixture(scope="module", params=MODULES)
def module(request, need_module) -> str:
    need_module(MODULES[request.param], "opensc-pkcs11 ykcs11")
    return request.param


@pytest.fixture(scope="module")
def start(need, serving, stack, module, provisioned, tmp_path_factory):
    """Start a world that holds a copy of the card with four keys; return how to run the tool."""
    pkcs11_tool = need("pkcs11-tool", "opensc")

    @contextlib.contextmanager
    def start():
        card = shutil.copy(provisioned / "card", tmp_path_factory.mktemp("pkcs11"))
        options = ("--stack", stack, "--card", f"piv,state={card}", "--reader", READER)
        with serving(*options) as served:

            def run(*words, login: bool = True, code: int = 0) -> str:
                pin = ("--login", "--pin", "123456") if login else ()
                program = (pkcs11_tool, "--module", MODULES[module])
                done = served.run(*program, *pin, *words, code=code)
                return done.stdout + done.stderr

            yield run

    return start


@pytest.fixture(scope="module")
def tool(start):
    """Run pkcs11-tool with the module in a world; log in unless told not to."""
    with start() as run:
        yield run


def test_slots(tool):
    slots = tool("-L", login=False)
    assert f"Slot 0 (0x0): {READER}\n" in slots
    assert "login required, rng, token initialized, PIN initialized" in slots


def test_objects(tool, module):
    objects = tool("-O", login=False)
    ids = re.findall(r"^Public Key Object.*?^  ID: +(..)$", objects, re.DOTALL | re.MULTILINE)
    # Yubico's module shows the key that attests as well.
    assert ids == [*IDS.values(), *(["19"] if module == "ykcs11" else [])]
    assert objects.count("Certificate Object; type = X.509 cert") == (
        4 if module == "opensc" else 9
    )
    assert objects.count("Private Key Object") <= 1
    private = tool("-O", "--type", "privkey")
    assert private.count("Private Key Object") == (4 if module == "opensc" else 5)


def test_the_tool_tests_the_token(tool):
    said = tool("--test")
    assert "\nNo errors\n" in said
    assert "ERR" not in said


@pytest.mark.parametrize("slot", ["9a", "9c"])
def test_rsa_signature(tool, public_key, tmp_path, slot):
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(MESSAGE)
    files = ("--id", IDS[slot], "-i", message, "-o", signature)
    tool("--sign", "-m", "SHA256-RSA-PKCS", *files)
    key = public_key(slot)
    key.verify(signature.read_bytes(), MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    tool("--sign", "-m", "SHA256-RSA-PKCS-PSS", *files)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    key.verify(signature.read_bytes(), MESSAGE, pss, hashes.SHA256())


def test_ecdsa_signature(tool, public_key, tmp_path):
    digest, signature = tmp_path / "digest", tmp_path / "signature"
    digest.write_bytes(MESSAGE[:32])
    tool("--sign", "-m", "ECDSA", "--id", IDS["9e"], "-i", digest, "-o", signature)
    raw = signature.read_bytes()
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    algorithm = ec.ECDSA(Prehashed(hashes.SHA256()))
    public_key("9e").verify(encode_dss_signature(r, s), MESSAGE[:32], algorithm)


def test_rsa_decryption(tool, public_key, tmp_path):
    cipher, plain = tmp_path / "cipher", tmp_path / "plain"
    files = ("--id", IDS["9a"], "-i", cipher, "-o", plain)
    cipher.write_bytes(public_key("9a").encrypt(MESSAGE, padding.PKCS1v15()))
    tool("--decrypt", "-m", "RSA-PKCS", *files)
    assert plain.read_bytes() == MESSAGE
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    cipher.write_bytes(public_key("9a").encrypt(MESSAGE, oaep))
    tool("--decrypt", "-m", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA256", *files)
    assert plain.read_bytes() == MESSAGE


def test_ecdh(tool, public_key, tmp_path):
    ours, peer, shared = ec.generate_private_key(ec.SECP256R1()), tmp_path / "p", tmp_path / "s"
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    peer.write_bytes(ours.public_key().public_bytes(serialization.Encoding.DER, info))
    tool("--derive", "-m", "ECDH1-DERIVE", "--id", IDS["9d"], "-i", peer, "-o", shared)
    assert shared.read_bytes() == ours.exchange(ec.ECDH(), public_key("9d"))


def test_pins(start):
    with start() as tool:
        wrong = ("--login", "--pin", "000000", "-O")
        assert "CKR_PIN_INCORRECT" in tool(*wrong, login=False, code=1)
        tool("--change-pin", "--new-pin", "654321")
        right = ("--login", "--pin", "654321", "-O")
        tool(*right, login=False)
        for _ in range(3):
            assert "CKR_PIN_" in tool(*wrong, login=False, code=1)
        assert "CKR_PIN_LOCKED" in tool(*right, login=False, code=1)


@pytest.mark.parametrize(
    ("kind", "slot"), [("rsa:2048", "9a"), ("EC:prime256v1", "9a"), ("EC:secp384r1", "9e")]
)
def test_generating_a_key(key_generator, tmp_path, kind, slot):
    # OpenSC's module makes no keys on PIV cards; Yubico's does, for the security officer, whose
    # PIN is the management key in hexadecimal.
    run = key_generator
    officer = ("--login", "--login-type", "so", "--so-pin", "0102030405060708" * 3)
    run(*officer, "--keypairgen", "--key-type", kind, "--id", IDS[slot])
    message, signature, attestation = (tmp_path / name for name in ("message", "s", "attestation"))
    # pkcs11-tool 0.23 cannot write out a public key on P-384, so the card is asked.
    run.attest(slot, attestation)
    key = x509.load_pem_x509_certificate(attestation.read_bytes()).public_key()
    rsa = kind.startswith("rsa")
    message.write_bytes(MESSAGE if rsa else MESSAGE[:32])
    mechanism = "SHA256-RSA-PKCS" if rsa else "ECDSA"
    files = ("-i", message, "-o", signature, "--signature-format", "openssl")
    run("--login", "--pin", "123456", "--sign", "-m", mechanism, "--id", IDS[slot], *files)
    how = (padding.PKCS1v15(), hashes.SHA256()) if rsa else (ec.ECDSA(Prehashed(hashes.SHA256())),)
    key.verify(signature.read_bytes(), message.read_bytes(), *how)


@pytest.fixture(scope="module")
def key_generator(need, need_module, serving, either_stack):
    """Run pkcs11-tool with Yubico's module on a new card."""
    tool = need("pkcs11-tool", "opensc")
    module = need_module("libykcs11.so", "ykcs11")
    yubico = need("yubico-piv-tool", "yubico-piv-tool")
    with serving("--stack", either_stack, "--card", "piv", "--reader", READER) as served:

        def run(*words) -> None:
            served.run(tool, "--module", module, *words)

        run.attest = lambda slot, path: served.run(yubico, "-a", "attest", "-s", slot, "-o", path)
        yield run
