# SPDX-License-Identifier: Apache-2.0
"""OpenSC's tools, pcsc-tools and OpenSSH."""

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.clients

YUBIKEY_ATR = "3b:fd:13:00:00:81:31:fe:15:80:73:c0:21:c0:57:59:75:62:69:4b:65:79:40"
READER = "Virtual Reader 00 00"


def test_opensc_tool(need, world):
    opensc_tool = need("opensc-tool", "opensc")
    served = world()
    assert served.run(opensc_tool, "-a").stdout == YUBIKEY_ATR + "\n"
    assert served.run(opensc_tool, "-n").stdout == "Personal Identity Verification Card\n"
    listing = served.run(opensc_tool, "-l").stdout
    assert re.search(rf"^0 +Yes +{READER}$", listing, re.MULTILINE)
    sent = served.run(opensc_tool, "-s", "00:A4:04:00:05:A0:00:00:03:08:00").stdout
    assert "Received (SW1=0x90, SW2=0x00)" in sent


def test_a_neutral_card(need, world):
    served = world("piv:neutral")
    assert served.run(need("opensc-tool", "opensc"), "-a").stdout == "3b:80:80:01:01\n"
    assert served.run(need("piv-tool", "opensc"), "-n").stdout == (
        "Personal Identity Verification Card\n"
    )


def test_piv_tool(need, world):
    piv_tool = need("piv-tool", "opensc")
    served = world()
    name = served.run(piv_tool, "-n")
    assert name.stdout == "Personal Identity Verification Card\n"
    sent = served.run(piv_tool, "-s", "00:20:00:80", "-s", "00:A4:04:00:01:FF").stdout
    assert re.findall(r"SW1=0x(..), SW2=0x(..)", sent) == [("63", "C3"), ("6A", "82")]


def test_pkcs15_tool(need, world, keys: Path):
    served = world(f"piv,state={keys / 'card'}")
    dump = served.run(need("pkcs15-tool", "opensc"), "-D").stdout
    for name in ("PIV AUTH", "SIGN", "KEY MAN", "CARD AUTH"):
        assert re.search(rf"^Private (RSA|EC) Key \[{name} key\]", dump, re.MULTILINE)
        assert re.search(rf"^Public (RSA|EC) Key \[{name} pubkey\]", dump, re.MULTILINE)
    assert dump.count("X.509 Certificate [") == 4


def test_pkcs15_tool_reads_a_certificate(need, world, keys: Path):
    served = world(f"piv,state={keys / 'card'}")
    read = served.run(need("pkcs15-tool", "opensc"), "--read-certificate", "01").stdout
    assert read.split() == (keys / "9a.crt").read_text().split()


def test_ssh_keygen(need, need_module, world, keys: Path, public_key):
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")
    served = world(f"piv,state={keys / 'card'}")
    printed = served.run(need("ssh-keygen", "openssh-client"), "-D", module).stdout
    expected = [
        public_key(slot)
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .split()[:2]
        for slot in ("9a", "9c", "9d", "9e")
    ]
    assert [line.encode().split()[:2] for line in printed.splitlines()] == expected
    assert base64.b64decode(expected[0][1])


def test_pcsc_scan(need, world):
    pcsc_scan = need("pcsc_scan", "pcsc-tools")
    served = world()
    scanned = served.run(pcsc_scan, "-n", "-c").stdout
    assert f"Reader 0: {READER}\n" in scanned
    assert "Card inserted" in scanned
    assert f"ATR: {YUBIKEY_ATR.replace(':', ' ').upper()}\n" in scanned
    assert f"0: {READER}\n" in served.run(pcsc_scan, "-n", "-r").stdout


def test_pcsc_scan_sees_the_card_leave_and_come(need, world, vreader):
    pcsc_scan = need("pcsc_scan", "pcsc-tools")
    served = world()
    served.run(*vreader, "ctl", "remove")
    # On pcscd its driver notices within its next look at the card.
    watch = f"until {pcsc_scan} -n -c | grep -q 'Card removed'; do :; done"
    served.run("sh", "-c", watch)
    served.run(*vreader, "ctl", "insert")
    served.run("sh", "-c", watch.replace("Card removed", "Card inserted"))
    served.run(need("opensc-tool", "opensc"), "-a")
