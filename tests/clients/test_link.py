# SPDX-License-Identifier: Apache-2.0
"""Real programs whose card is reached in TPDUs, undisturbed and disturbed."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.clients

LINKS = [
    "t1",
    "t1,spoil=10,seed=3",
    "t1,crc,ifsd=32,spoil=20,seed=1",
    "t0",
    "t0,nulls=1,busy=0,single,spoil=10",
]
PIN = "123456"


def crossed(trace: Path) -> list[dict]:
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    return [event for event in events if event["event"] == "TpduEvent"]


# Behind the serial door Debian's driver is the reader's end: see test_twin.
STACKS = ["embedded", pytest.param("pcscd", marks=pytest.mark.pcscd)]


@pytest.mark.parametrize("stack", STACKS, indirect=True)
@pytest.mark.parametrize("link", LINKS)
def test_keys_are_used_over_a_link(world, provisioned, tmp_path, need, need_module, link):
    card = shutil.copy(provisioned / "card", tmp_path)
    trace = tmp_path / "trace.jsonl"
    served = world(f"piv,state={card}", "--link", link, "--trace", trace)
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")
    tool = [need("pkcs11-tool", "opensc"), "--module", module, "--login", "--pin", PIN]
    said = served.run(*tool, "--test").stdout
    assert "No errors" in said
    served.stop()
    tpdus = crossed(trace)
    protocols = {event["protocol"] for event in tpdus}
    assert protocols == {"PPS", "T=1" if link.startswith("t1") else "T=0"}
    assert any(event["harm"] for event in tpdus) == ("spoil" in link)
    assert PIN.encode().hex().upper() not in trace.read_text()
