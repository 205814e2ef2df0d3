# SPDX-License-Identifier: Apache-2.0
"""A world whose card is in the reader of another world: everything crosses a real PC/SC twice."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest
from missing import missing

from cards.relay.kind import KIND
from vreader.card import MemoryStore
from vreader.errors import VreaderError

READER = "Distant Reader"


@pytest.fixture
def relay(serve):
    """Serve a world that relays the card of another one; without pyscard skip, or fail in CI."""
    if importlib.util.find_spec("smartcard") is None:
        missing("pyscard is missing: pip install 'vreader[pcsc]'")

    def start(card, *options):
        far = serve("--card", card, "--reader", READER)
        return far, serve(
            "--card", f"relay,reader={READER[:7]}", *options, env=far.environment
        )  # fmt: skip

    return start


@pytest.mark.clients
def test_a_relayed_card_is_used_recorded_and_replayed(need, relay, serve, tmp_path):
    piv_tool, opensc_tool = (
        need("yubico-piv-tool", "yubico-piv-tool"),
        need("opensc-tool", "opensc"),
    )
    trace = tmp_path / "trace.jsonl"
    _, near = relay("piv", "--trace", trace)

    def session(world):
        name = world.run(opensc_tool, "-n").stdout
        status = world.run(piv_tool, "-r", "Virtual", "-a", "status").stdout
        world.run(piv_tool, "-r", "Virtual", "-a", "verify-pin", "-P", "123456")
        return name, status, world.run(opensc_tool, "-a").stdout

    said = session(near)
    assert said[0] == "Personal Identity Verification Card\n"
    assert "PIN tries left:\t3" in said[1]
    assert near.stop() == (0, "")
    assert b"123456".hex() not in trace.read_text()
    assert session(serve("--card", f"replay,file={trace}")) == said


@pytest.mark.clients
def test_a_card_that_fails_far_away_fails_here(vreader, relay, tmp_path):
    talk = tmp_path / "talk.toml"
    talk.write_text("""
        [[exchange]]
        ins = "01"
        answer = "mute"
        [[exchange]]
        ins = "02"
        answer = "gone"
        [[exchange]]
        ins = "03"
        answer = "9000"
    """)
    trace = tmp_path / "trace.jsonl"
    far, near = relay(f"scripted,file={talk}", "--trace", trace)
    near.run(*vreader, "apdu", "03=9000")
    near.run(*vreader, "apdu", "01", code=None)
    near.run(*vreader, "apdu", "03=9000")
    near.run(*vreader, "apdu", "02", code=None)
    assert "no reader holds a card" in near.run(*vreader, "apdu", "03", code=None).stderr
    problems = re.findall(r'"command": "..(..)0000".*"problem": "(\w*)"', trace.read_text())
    assert problems == [("03", ""), ("01", "mute"), ("03", ""), ("02", "gone")]
    far.run(*vreader, "ctl", "insert")
    near.run(*vreader, "ctl", "insert")
    near.run(*vreader, "apdu", "03=9000")


SLOW_CARD = """
import threading

class Slow:
    def __init__(self, begun):
        self.begun, self.over = begun, threading.Event()
    def power_on(self):
        return bytes.fromhex("3B80800101")
    reset = power_on
    def power_off(self):
        pass
    def transmit(self, c_apdu):
        open(self.begun, "w").close()
        self.over.wait()
        return bytes.fromhex("9000")
    def close(self):
        self.over.set()
"""


@pytest.mark.clients
def test_a_relay_ends_while_its_card_works(vreader, relay, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW_CARD)
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    _, near = relay(f"{tmp_path}/slow.py:Slow,begun={begun}")
    environment = {**os.environ, **near.environment}
    with subprocess.Popen([*vreader, "apdu", "0001"], env=environment, stderr=subprocess.PIPE) as p:
        begun.read_text()
        code, said = near.stop()
        assert (code, "Traceback" in said) == (0, False)
        p.kill()


@pytest.mark.clients
def test_one_relay_holds_a_card(vreader, relay):
    far, near = relay("piv")
    second = far.run(*vreader, "run", "--card", "relay", "--", "true", code=125)
    assert f"the card in '{READER} 00 00' is in use" in second.stderr
    far.run(*vreader, "run", "--card", "relay,reader=Other", "--", "true", code=125)
    near.stop()
    far.run(*vreader, "run", "--card", "relay", "--", *vreader, "apdu", "00A40400:A000000308/00=")


@pytest.mark.clients
def test_there_is_nothing_to_relay(vreader, relay, tmp_path):
    far, _ = relay("piv")
    far.run(*vreader, "ctl", "remove")
    relayed = [*vreader, "run", "--card", "relay", "--", "true"]
    assert "no reader holds a card" in far.run(*relayed, code=125).stderr
    far.environment["PCSCLITE_CSOCK_NAME"] = str(tmp_path / "nobody")
    assert "there is no PC/SC service" in far.run(*relayed, code=125).stderr


def test_without_pyscard(monkeypatch):
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    with pytest.raises(VreaderError, match="needs pyscard") as caught:
        KIND.create("pcsc", {}, MemoryStore(), None)
    assert "vreader[pcsc]" in caught.value.hint
