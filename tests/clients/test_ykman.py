# SPDX-License-Identifier: Apache-2.0
"""ykman: every command of ``ykman piv``, and what it says of the device.

Each command starts Python anew, so there are few of them; yubikey-manager's own tests, run by
``test_ykman_suite.py``, have the many.
"""

import contextlib
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

pytestmark = pytest.mark.clients

READER = "Yubico YubiKey CCID 00 00"
MANAGEMENT_KEY = "010203040506070801020304050607080102030405060708"
PIN, PUK, MGM = ("-P", "123456"), ("-p", "12345678"), ("-m", MANAGEMENT_KEY)
PEM = serialization.Encoding.PEM
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


@pytest.fixture(scope="module")
def start(serving, either_stack, ykman_home, tmp_path_factory):
    """Start a world with a card; return how to run ykman in it."""
    # ykman keeps the devices it has seen in a file of the user's.
    home = tmp_path_factory.mktemp("ykman")

    @contextlib.contextmanager
    def start(profile: str = "5.7.1"):
        card = f"yubikey:{profile},serial=1234567"
        with serving("--stack", either_stack, "--card", card, "--reader", READER) as served:

            def ykman(*words, reader: bool = True, code: int = 0) -> str:
                chosen = ("--reader", READER) if reader else ()
                command = ("env", f"HOME={home}", ykman_home / "bin/ykman", *chosen, *words)
                done = served.run(*command, code=code)
                return done.stdout + done.stderr

            yield ykman

    return start


@pytest.fixture(scope="module")
def device(start):
    """Run ykman on the card of this module; tests must leave its PINs alone."""
    with start() as ykman:
        yield ykman


@pytest.fixture(scope="module")
def piv(device):
    """Run a command of ``ykman piv``."""
    return lambda *words, code=0: device("piv", *words, code=code)


@pytest.fixture
def fresh(start):
    """The same on a card of this test's own."""
    with start() as ykman:
        yield lambda *words, code=0: ykman("piv", *words, code=code)


def test_list_and_info(device):
    # It looks for readers of Yubico's, and waits for a card in those that are empty.
    assert "YubiKey 5A (5.7.1) [CCID] Serial: 1234567\n" in device("list", reader=False)
    info = device("info")
    assert "Serial number: 1234567\nFirmware version: 5.7.1\n" in info
    assert re.search(r"PIV +\tEnabled", info)


def test_status(piv):
    said = piv("info")
    assert "PIV version:              5.7.1\nPIN tries remaining:      3/3\n" in said
    assert "Management key algorithm: AES192\n" in said


@pytest.mark.parametrize("algorithm", ["ECCP256", "ED25519"])
def test_a_generated_key(piv, tmp_path, algorithm):
    generated, exported, request, certificate = (
        tmp_path / name for name in ("generated", "exported", "request", "certificate")
    )
    piv("keys", "generate", *MGM, "-a", algorithm, "--pin-policy", "once", "9a", generated)
    assert re.search(rf"^Algorithm: +{algorithm}$", piv("keys", "info", "9a"), re.MULTILINE)
    piv("keys", "export", "--verify", *PIN, "9a", exported)
    assert exported.read_bytes() == generated.read_bytes()
    key = serialization.load_pem_public_key(generated.read_bytes())
    subject = ("-s", "CN=ykman")
    piv("certificates", "generate", *MGM, *PIN, *subject, "9a", generated)
    piv("certificates", "export", "9a", certificate)
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    made.verify_directly_issued_by(made)
    assert made.public_key() == key
    piv("certificates", "request", *PIN, *subject, "9a", generated, request)
    assert x509.load_pem_x509_csr(request.read_bytes()).is_signature_valid


def test_attestation(piv, tmp_path):
    generated, attestation, issuer = (tmp_path / name for name in ("key", "attestation", "issuer"))
    piv("keys", "generate", *MGM, "-a", "X25519", "82", generated)
    piv("keys", "attest", "82", attestation)
    piv("certificates", "export", "f9", issuer)
    attested = x509.load_pem_x509_certificate(attestation.read_bytes())
    attested.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer.read_bytes()))
    assert attested.public_key().public_bytes(PEM, PUBLIC) == generated.read_bytes()


def import_key(piv, key, directory) -> None:
    """Import a private key into 9C, from an encrypted file."""
    encryption = serialization.BestAvailableEncryption(b"secret")
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption)
    (directory / "private").write_bytes(private)
    piv("keys", "import", *MGM, "-p", "secret", "9c", directory / "private")


def test_an_imported_key(piv, certify, tmp_path):
    public, certificate, wrong, back = (tmp_path / name for name in ("p", "c", "wrong", "back"))
    key = ec.generate_private_key(ec.SECP384R1())
    import_key(piv, key, tmp_path)
    public.write_bytes(key.public_key().public_bytes(PEM, PUBLIC))
    certify(public, certificate)
    # Whether the key is the certificate's it finds out by a signature.
    piv("certificates", "import", *MGM, *PIN, "--verify", "--compress", "9c", certificate)
    piv("certificates", "export", "9c", back)
    assert back.read_text() == certificate.read_text()
    other = ec.generate_private_key(ec.SECP384R1())
    public.write_bytes(other.public_key().public_bytes(PEM, PUBLIC))
    certify(public, wrong)
    piv("certificates", "import", *MGM, *PIN, "--verify", "9c", wrong, code=1)
    piv("keys", "attest", "9c", "-", code=1)


def test_an_imported_ed25519_key(piv, tmp_path):
    key, public, back = ed25519.Ed25519PrivateKey.generate(), tmp_path / "p", tmp_path / "back"
    import_key(piv, key, tmp_path)
    public.write_bytes(key.public_key().public_bytes(PEM, PUBLIC))
    # --verify of this ykman knows RSA and elliptic curves alone; a certificate tells as well.
    piv("certificates", "generate", *MGM, *PIN, "-s", "CN=ykman", "9c", public)
    piv("certificates", "export", "9c", back)
    made = x509.load_pem_x509_certificate(back.read_bytes())
    made.verify_directly_issued_by(made)
    assert made.public_key() == key.public_key()


def test_moving_and_deleting(piv, tmp_path):
    key, back = tmp_path / "key", tmp_path / "back"
    piv("keys", "generate", *MGM, "-a", "ECCP256", "9d", key)
    piv("keys", "move", *MGM, "9d", "83")
    piv("keys", "info", "9d", code=1)
    piv("keys", "export", "83", back)
    assert back.read_text() == key.read_text()
    piv("keys", "delete", *MGM, "83")
    piv("keys", "info", "83", code=1)


def test_certificates_are_deleted(piv, provisioned, tmp_path):
    piv("certificates", "import", *MGM, "9e", provisioned / "9e.crt")
    piv("certificates", "export", "9e", tmp_path / "back")
    piv("certificates", "delete", *MGM, "9e")
    piv("certificates", "export", "9e", tmp_path / "back", code=1)


def test_objects(piv, tmp_path):
    content, back = tmp_path / "content", tmp_path / "back"
    content.write_bytes(bytes(range(256)) * 11)
    piv("objects", "import", *MGM, "0x5fc106", content)
    piv("objects", "export", "0x5fc106", back)
    assert back.read_bytes() == content.read_bytes()
    for name in ("CHUID", "CCC"):
        piv("objects", "export", name, content)
        piv("objects", "generate", *MGM, name)
        piv("objects", "export", name, back)
        assert back.read_bytes() != content.read_bytes()
        assert back.stat().st_size == content.stat().st_size


def test_pin_and_puk(fresh):
    fresh("access", "change-pin", *PIN, "-n", "654321")
    assert "2 tries left" in fresh("access", "change-pin", *PIN, "-n", "123456", code=1)
    fresh("access", "change-puk", *PUK, "-n", "87654321")
    fresh("access", "unblock-pin", "-p", "87654321", "-n", "123456")
    fresh("access", "set-retries", *MGM, *PIN, "-f", "2", "4")
    said = fresh("info")
    assert "PIN tries remaining:      2/2\nPUK tries remaining:      4/4\n" in said
    # The PUK is the first one again.
    fresh("access", "change-puk", *PUK, "-n", "87654321")
    for _ in range(2):
        fresh("access", "change-pin", "-P", "000000", "-n", "123456", code=1)
    assert "PIN is blocked" in fresh("access", "change-pin", *PIN, "-n", "123456", code=1)
    fresh("reset", "-f")
    assert "PIN tries remaining:      3/3\n" in fresh("info")


def test_management_key(fresh):
    new = bytes(range(1, 33)).hex()
    change = ("access", "change-management-key", "-f", "--touch")
    fresh(*change, *MGM, "-a", "aes256", "-n", new)
    assert "Management key algorithm: AES256\n" in fresh("info")
    fresh("objects", "generate", "-m", MANAGEMENT_KEY, "CHUID", code=1)
    fresh("objects", "generate", "-m", new, "CHUID")


def test_a_management_key_behind_the_pin(fresh):
    fresh("access", "change-management-key", *MGM, *PIN, "--generate", "--protect", "-f")
    assert "Management key is stored on the YubiKey, protected by PIN" in fresh("info")
    fresh("objects", "generate", *PIN, "CHUID")
    fresh("objects", "generate", *MGM, "CHUID", code=1)
