# SPDX-License-Identifier: Apache-2.0
"""OpenSC's piv-tool: who the card is, and writing to it with the management key.

Its exit code is no guide: what it wrote it counts, and returns the number of bytes. ``-G`` of
0.23 makes the key on the card, then fails to print it ("gen_key unable to gen RSA"): it builds
the public key in a way that OpenSSL 3 does not take. ``-A A:…`` of 0.23 fetches the
card's challenge and gives up. Authentication is mutual (``M:``), with the key in a file.
"""

import gzip
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.clients

KEY = ":".join(f"{number:02X}" for number in [*range(1, 9)] * 3)


@pytest.fixture(scope="module")
def tool(need, card_world, tmp_path_factory):
    """Run piv-tool; with a code of None look at what it says alone."""
    program = need("piv-tool", "opensc")
    key = tmp_path_factory.mktemp("piv-tool") / "key"
    key.write_text(KEY)

    def run(*words, admin: str = "", code: int | None = 0) -> str:
        authenticate = ("-A", admin) if admin else ()
        command = ("env", f"PIV_EXT_AUTH_KEY={key}", program, *authenticate, *words)
        done = card_world.run(*command, code=code)
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def yubico(need, card_world):
    """Run yubico-piv-tool on the same card; return stdout."""
    program = need("yubico-piv-tool", "yubico-piv-tool")
    return lambda *words: card_world.run(program, *words).stdout


def test_name_and_serial_number(tool, yubico):
    assert "Personal Identity Verification Card\n" in tool("-n")
    # With the FASC-N of Yubico's CHUID OpenSC takes the GUID for a serial number.
    chuid = re.search(r"CHUID:\t([0-9a-f]+)\n", yubico("-a", "status"))[1]
    guid = chuid[chuid.index("3410") + 4 :][:32].upper()
    assert " ".join(re.findall("..", guid)) + " " in tool("--serial")


def test_the_management_key_is_wanted(tool, yubico, provisioned, tmp_path):
    certificate = provisioned / "9c.crt"
    before = yubico("-a", "read-certificate", "-s", "9e")
    tool("-C", "9E", "-i", certificate, code=None)
    assert yubico("-a", "read-certificate", "-s", "9e") == before
    assert "admin_mode failed" in tool(admin="A:9B:03", code=None)
    assert "failed" not in tool("-n", admin="M:9B:03")


def test_certificates(tool, yubico, provisioned: Path, tmp_path: Path):
    plain, packed = provisioned / "9c.crt", tmp_path / "packed"
    tool("-C", "9E", "-i", plain, admin="M:9B:03", code=None)
    assert yubico("-a", "read-certificate", "-s", "9e") == plain.read_text()
    other = x509.load_pem_x509_certificate((provisioned / "9d.crt").read_bytes())
    packed.write_bytes(gzip.compress(other.public_bytes(serialization.Encoding.DER)))
    tool("-Z", "9E", "-i", packed, admin="M:9B:03", code=None)
    stored = yubico("-a", "read-object", "--id", "0x5fc101", "-f", "hex")
    # SP 800-73-5 part 1 appendix A: 70 the certificate, 71 how it is packed (01 gzip), FE.
    assert packed.read_bytes().hex() + "710101fe00" in stored.replace(" ", "").replace("\n", "")


def test_objects(tool, yubico, tmp_path: Path):
    content = tmp_path / "object"
    # The Security Object, with the tag 53 that goes round every one.
    content.write_bytes(bytes.fromhex("5306BA020102FE00"))
    tool("-O", "9000", "-i", content, admin="M:9B:03", code=None)
    assert yubico("-a", "read-object", "--id", "0x5fc106", "-f", "hex").split() == ["ba020102fe00"]


@pytest.mark.parametrize(
    ("algorithm", "slot", "bits"), [("07", "9A", "2048"), ("11", "9C", "256"), ("14", "9C", "384")]
)
def test_generating_a_key(tool, yubico, algorithm, slot, bits):
    before = yubico("-a", "attest", "-s", slot.lower())
    tool("-G", f"{slot}:{algorithm}", "-o", "/dev/null", admin="M:9B:03", code=None)
    attested = x509.load_pem_x509_certificate(
        (after := yubico("-a", "attest", "-s", slot.lower())).encode()
    )
    assert after != before
    assert str(attested.public_key().key_size) == bits


def test_sending_apdus(tool):
    said = tool("-s", "00:A4:04:00:05:A0:00:00:03:08", "-s", "00:FD:00:00:00")
    assert "Received (SW1=0x90, SW2=0x00):\n05 04 03 ...\n" in said
