# SPDX-License-Identifier: Apache-2.0
"""Worlds for real PC/SC programs, on all stacks, and a card that has keys and certificates."""

import datetime
import functools
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from missing import missing

from vreader.bridge.vpcd.installation import TWIN, VPCD, find_installation
from vreader.errors import VreaderError

SLOTS = {"9a": "RSA2048", "9c": "RSA2048", "9d": "ECCP256", "9e": "ECCP256"}
# libykcs11 and ykman look for readers of Yubico's alone.
YUBICO_READER = "Yubico YubiKey CCID 00 00"
EMBEDDED, PCSCD, TWIN_STACK = (
    "embedded",
    pytest.param("pcscd", marks=pytest.mark.pcscd),
    pytest.param("twin", marks=pytest.mark.pcscd),
)


def _need_stack(name: str) -> str:
    if name != "embedded":
        try:
            find_installation(wanted=TWIN if name == "twin" else VPCD)
        except VreaderError as error:
            missing(f"{error} ({error.hint})")
    return name


@pytest.fixture(scope="session", params=[EMBEDDED, PCSCD, TWIN_STACK])
def stack(request) -> str:
    """The name of a stack; those with a pcscd are skipped where it is missing, and fail in CI."""
    return _need_stack(request.param)


@pytest.fixture(scope="session", params=[EMBEDDED, PCSCD])
def either_stack(request) -> str:
    """Our own resource manager, then pcscd with vpcd: enough where the reader is not the point."""
    return _need_stack(request.param)


@pytest.fixture(scope="session")
def need_stack() -> Callable[[str], str]:
    """Return the name of a stack that is there; without it skip the test, or fail where CI=true."""
    return _need_stack


@pytest.fixture
def world(stack: str, serve) -> Callable:
    """Start a world on this stack with one card."""

    def start(card: str = "piv", *options: str):
        return serve("--stack", stack, "--card", card, *options)

    return start


@pytest.fixture(scope="session")
def need_module() -> Callable[[str, str], Path]:
    """Return the path of a PKCS #11 module; without it skip the test, or fail where CI=true."""

    def find(name: str, package: str) -> Path:
        for place in ("/usr/lib", "/usr/local/lib"):
            for path in Path(place).glob(f"*/{name}"):
                return path
        return missing(f"{name} is missing: apt install {package}")

    return find


@pytest.fixture(scope="session")
def ykman_home() -> Path:
    """The environment that scripts/install-clients makes: bin/ykman, and sdist with its tests."""
    home = Path(sys.prefix) / "clients"
    if not (home / "ready").exists():
        missing("ykman is missing: make test installs it")
    return home


@pytest.fixture(scope="session")
def piv_tool(need) -> list[str]:
    """yubico-piv-tool, told to use our reader."""
    return [need("yubico-piv-tool", "yubico-piv-tool"), "-r", "Virtual"]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(public_key, subject: str) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("vreader test authority"))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
    )


@functools.cache
def _authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    unsigned = _unsigned(key.public_key(), "vreader test authority").add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    return key, unsigned.sign(key, hashes.SHA256())


def certificate_for(public_key) -> x509.Certificate:
    """A certificate for a key whose private part is on a card, signed by the test authority."""
    return _unsigned(public_key, "vreader test").sign(_authority()[0], hashes.SHA256())


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Path:
    """The PEM certificate of the authority that signed the cards' certificates."""
    path = tmp_path_factory.mktemp("authority") / "authority.crt"
    path.write_bytes(_authority()[1].public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="session")
def certify() -> Callable[[Path, Path], None]:
    """Write a PEM certificate for a PEM public key."""

    def certify(public_key: Path, certificate: Path) -> None:
        key = serialization.load_pem_public_key(public_key.read_bytes())
        made = certificate_for(key)
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    return certify


@pytest.fixture(scope="session")
def make_keys(piv_tool, certify) -> Callable:
    """Generate a key in each slot with yubico-piv-tool, and import a certificate for it."""

    def make_keys(run: Callable, directory: Path) -> None:
        for slot, algorithm in SLOTS.items():
            key, certificate = directory / f"{slot}.pub", directory / f"{slot}.crt"
            run(*piv_tool, "-a", "generate", "-A", algorithm, "-s", slot, "-o", key)
            certify(key, certificate)
            run(*piv_tool, "-a", "import-certificate", "-s", slot, "-i", certificate)

    return make_keys


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory, serving, make_keys, piv_tool) -> Path:
    """A directory with ``card`` (a state file), and SLOT.pub and SLOT.crt for its four keys."""
    directory = tmp_path_factory.mktemp("provisioned")
    with serving("--card", f"piv,state={directory / 'card'}") as served:
        make_keys(served.run, directory)
        served.run(*piv_tool, "-a", "set-chuid", "-a", "set-ccc")
    return directory


@pytest.fixture(scope="module")
def card_world(serving, either_stack, provisioned, tmp_path_factory) -> Iterator:
    """A world of each test module and stack, with a copy of the card with four keys."""
    card = shutil.copy(provisioned / "card", tmp_path_factory.mktemp("card"))
    options = ("--stack", either_stack, "--card", f"piv,state={card}", "--reader", YUBICO_READER)
    with serving(*options) as served:
        yield served


@pytest.fixture
def keys(provisioned: Path, tmp_path: Path) -> Path:
    """The same, of this test's own."""
    return Path(shutil.copytree(provisioned, tmp_path / "keys"))


@pytest.fixture(scope="session")
def public_key(provisioned: Path) -> Callable:
    """Return the public key of a slot."""

    def public_key(slot: str):
        return serialization.load_pem_public_key((provisioned / f"{slot}.pub").read_bytes())

    return public_key
