# SPDX-License-Identifier: Apache-2.0
"""pkcs11-tool over every mechanism that OpenSC's module offers for a PIV card."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

pytestmark = pytest.mark.clients

MESSAGE = b"A message of some length that is to be signed."
HASHES = {
    "SHA1": hashes.SHA1(),
    "SHA224": hashes.SHA224(),
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
    "MD5": hashes.MD5(),
}
IDS = {"9a": "01", "9c": "02", "9d": "03", "9e": "04"}
# Digests are the computer's; the card signs.
DIGESTS = {"SHA-1", "SHA224", "SHA256", "SHA384", "SHA512", "MD5", "RIPEMD160", "GOSTR3411"}
OAEP_HASHES = ("SHA-1", "SHA224", "SHA256", "SHA384", "SHA512")
SIGNING = (
    *("RSA-PKCS", "RSA-X-509", "RSA-PKCS-PSS", "RIPEMD160-RSA-PKCS"),
    *(f"{name}-RSA-PKCS" for name in HASHES),
    *(f"{name}-RSA-PKCS-PSS" for name in HASHES if name != "MD5"),
    "ECDSA",
    *(f"ECDSA-{name}" for name in HASHES if name != "MD5"),
)
OTHERS = {"RSA-PKCS-OAEP", "ECDH1-DERIVE", "ECDH1-COFACTOR-DERIVE"}


@pytest.fixture(scope="module")
def tool(need, need_module, card_world):
    """Run pkcs11-tool, logged in."""
    program = need("pkcs11-tool", "opensc")
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")

    def run(*words, login: bool = True) -> str:
        pin = ("--login", "--pin", "123456") if login else ()
        done = card_world.run(program, "--module", module, *pin, *words)
        return done.stdout + done.stderr

    return run


def test_what_is_offered(tool):
    offered = re.findall(r"^  ([\w-]+), ", tool("-M", login=False), re.MULTILINE)
    # Every mechanism has its test in this file.
    assert set(offered) == DIGESTS | set(SIGNING) | OTHERS


def digest(name: str, data: bytes) -> bytes:
    context = hashes.Hash(HASHES[name])
    context.update(data)
    return context.finalize()


def pss(name: str) -> padding.PSS:
    return padding.PSS(padding.MGF1(HASHES[name]), salt_length=HASHES[name].digest_size)


def verify_rsa(key, mechanism: str, signature: bytes, message: bytes) -> None:
    name = mechanism.split("-")[0]
    if mechanism == "RSA-X-509":
        # What came in, to the private exponent and back.
        number = pow(int.from_bytes(signature, "big"), 65537, key.public_numbers().n)
        assert number == int.from_bytes(message, "big")
    elif mechanism in ("RSA-PKCS", "RIPEMD160-RSA-PKCS"):
        padded = key.recover_data_from_signature(signature, padding.PKCS1v15(), None)
        # cryptography knows no RIPEMD-160; its DigestInfo is SEQUENCE { 1.3.36.3.2.1 }, 20 bytes.
        wanted = bytes.fromhex("3021300906052b240302010500 0414".replace(" ", ""))
        assert padded == message if mechanism == "RSA-PKCS" else padded[:-20] == wanted
    elif mechanism == "RSA-PKCS-PSS":
        key.verify(signature, message, pss("SHA256"), Prehashed(hashes.SHA256()))
    elif mechanism.endswith("-PSS"):
        key.verify(signature, message, pss(name), HASHES[name])
    else:
        key.verify(signature, message, padding.PKCS1v15(), HASHES[name])


def verify_ec(key, mechanism: str, signature: bytes, message: bytes) -> None:
    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    name = mechanism.removeprefix("ECDSA").removeprefix("-")
    algorithm = ec.ECDSA(HASHES[name] if name else Prehashed(hashes.SHA256()))
    key.verify(encode_dss_signature(r, s), message, algorithm)


@pytest.mark.parametrize("mechanism", SIGNING)
def test_signing(tool, public_key, tmp_path: Path, mechanism):
    slot = "9e" if mechanism.startswith("ECDSA") else "9a"
    message, signature = tmp_path / "message", tmp_path / "signature"
    words = ("--id", IDS[slot], "-m", mechanism, "-i", message)
    if mechanism == "RSA-PKCS-PSS":
        words += ("--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256", "--salt-len", "32")
    content = {
        "RSA-X-509": bytes(1) + MESSAGE.ljust(255),
        "RSA-PKCS-PSS": digest("SHA256", MESSAGE),
        "ECDSA": digest("SHA256", MESSAGE),
    }.get(mechanism, MESSAGE)
    message.write_bytes(content)
    tool("--sign", *words, "-o", signature)
    verify = verify_ec if slot == "9e" else verify_rsa
    verify(public_key(slot), mechanism, signature.read_bytes(), content)


@pytest.mark.parametrize("mechanism", ["RSA-PKCS", "SHA256-RSA-PKCS", "ECDSA-SHA256"])
def test_verifying(tool, public_key, tmp_path: Path, mechanism):
    slot = "9e" if mechanism.startswith("ECDSA") else "9a"
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(MESSAGE)
    words = ("--id", IDS[slot], "-m", mechanism, "-i", message)
    tool("--sign", *words, "-o", signature)
    assert "Signature is valid" in tool("--verify", *words, "--signature-file", signature)
    message.write_bytes(MESSAGE[::-1])
    assert "Invalid signature" in tool("--verify", *words, "--signature-file", signature)


@pytest.mark.parametrize("name", OAEP_HASHES)
def test_oaep(tool, public_key, tmp_path: Path, name):
    cipher, plain = tmp_path / "cipher", tmp_path / "plain"
    function = HASHES[name.replace("-", "")]
    oaep = padding.OAEP(padding.MGF1(function), function, None)
    cipher.write_bytes(public_key("9a").encrypt(MESSAGE, oaep))
    words = ("--hash-algorithm", name, "--mgf", f"MGF1-{name.replace('-', '')}")
    tool("--decrypt", "--id", "01", "-m", "RSA-PKCS-OAEP", *words, "-i", cipher, "-o", plain)
    assert plain.read_bytes() == MESSAGE


@pytest.mark.parametrize("mechanism", ["RSA-PKCS", "RSA-X-509"])
def test_decrypting(tool, public_key, tmp_path: Path, mechanism):
    cipher, plain = tmp_path / "cipher", tmp_path / "plain"
    cipher.write_bytes(public_key("9a").encrypt(MESSAGE, padding.PKCS1v15()))
    tool("--decrypt", "--id", "01", "-m", mechanism, "-i", cipher, "-o", plain)
    # Raw, the padding is left.
    assert plain.read_bytes()[-len(MESSAGE) :] == MESSAGE
    assert len(plain.read_bytes()) == (256 if mechanism == "RSA-X-509" else len(MESSAGE))


@pytest.mark.parametrize("mechanism", ["ECDH1-DERIVE", "ECDH1-COFACTOR-DERIVE"])
def test_deriving(tool, public_key, tmp_path: Path, mechanism):
    ours, peer, shared = ec.generate_private_key(ec.SECP256R1()), tmp_path / "p", tmp_path / "s"
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    peer.write_bytes(ours.public_key().public_bytes(serialization.Encoding.DER, info))
    tool("--derive", "-m", mechanism, "--id", IDS["9d"], "-i", peer, "-o", shared)
    # The cofactor of P-256 is 1.
    assert shared.read_bytes() == ours.exchange(ec.ECDH(), public_key("9d"))
