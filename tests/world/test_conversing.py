# SPDX-License-Identifier: Apache-2.0
"""Conversations of worlds against golden files: with a real card, whose keys are new every time."""

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

import vreader
from vreader.bridge.pcsclite.client import PcscClient
from vreader.errors import UsageError
from vreader.winscard.codes import ShareMode
from vreader.world import World
from vreader.world.remote import Helper

KEY = bytes(range(1, 9)) * 3
SELECT, VERIFY = "00A4040005A000000308", "0020008008313233343536FFFF"
CARD = "piv,seed=01"


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.delenv("VREADER_UPDATE_GOLDEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Session:
    """A program's session with the only card of a world in this process."""

    def __init__(self, world: World) -> None:
        self._api = world.scard
        self._context = self._api.SCardEstablishContext()
        reader = world.places[0].name
        self._card, self._protocol = self._api.SCardConnect(self._context, reader, ShareMode.SHARED)

    def __call__(self, apdu: str) -> bytes:
        return self._api.SCardTransmit(self._card, self._protocol, bytes.fromhex(apdu))

    def close(self) -> None:
        self._api.SCardDisconnect(self._card)
        self._api.SCardReleaseContext(self._context)


def enrol(world: World, hashed: str = "AB" * 32) -> None:
    """Log in as an administrator, make keys, sign with them."""
    send = Session(world)
    send(SELECT)
    challenge = send("0087039B047C02810000")[4:12]
    worker = Cipher(TripleDES(KEY), modes.ECB()).encryptor()
    answer = (worker.update(challenge) + worker.finalize()).hex()
    assert send(f"0087039B0C7C0A8208{answer}") == b"\x90\0"
    for slot, algorithm in (("9A", "11"), ("9C", "07")):
        answer = send(f"004700{slot}05AC038001{algorithm}00")
        while answer[-2] == 0x61:
            answer = send("00C0000000")
        assert answer[-2:] == b"\x90\0"
    send(VERIFY)
    assert send(f"0087119A267C2482008120{hashed}00")[-2:] == b"\x90\0"
    send.close()


def test_two_runs_with_other_keys_and_signatures_are_the_same_conversation(here):
    for _ in range(4):
        with vreader.world(CARD, stack="in-process") as world:
            enrol(world)
            world.assert_conversation("enrol", update=not (here / "tests").exists())
    text = (here / "tests/golden/enrol.txt").read_text()
    assert "VERIFY PIV PIN" in text
    assert "31 32 33" not in text
    with vreader.world(CARD, stack="in-process") as world:
        enrol(world, hashed="CD" * 32)
        with pytest.raises(AssertionError, match=r"another command: .* is CD, not AB"):
            world.assert_conversation("enrol")
        world.assert_conversation("enrol", masks=[">0087119A*@11"])


def test_another_card_is_another_conversation():
    for card, same in (("piv,seed=01", True), ("piv,seed=02", False)):
        with vreader.world(card, stack="in-process") as world:
            send = Session(world)
            send(SELECT)
            send("00F8000000")
            if same:
                world.assert_conversation("serial", update=True)
            else:
                with pytest.raises(AssertionError, match="byte 0 is"):
                    world.assert_conversation("serial")
                world.assert_conversation("serial", masks=["00F8*"])
            send.close()


def test_a_mark_begins_anew(here):
    with vreader.world(CARD, stack="in-process") as world:
        send = Session(world)
        send(SELECT)
        world.mark()
        send(VERIFY)
        world.assert_conversation("verified", directory=here / "g", update=True)
        send.close()
    lines = (here / "g" / "verified.txt").read_text().splitlines()[2:]
    assert [line[:1] for line in lines] == [">", "<"]


def test_one_reader_of_several(here):
    with vreader.world("none", CARD, stack="in-process") as world:
        with pytest.raises(UsageError, match="which reader"):
            world.assert_conversation("x", update=True)
        world.assert_conversation("x", reader=1, update=True)
        world.assert_conversation("x", reader=0)


def test_a_world_that_keeps_no_events():
    with World(["none"], stack="in-process") as world:
        for ask in (world.mark, world.said, lambda: world.assert_conversation("x")):
            with pytest.raises(UsageError, match="keeps no events"):
                ask()


def test_a_world_in_another_process_has_the_same_conversation(here):
    def talk(world) -> None:
        with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
            client.establish()
            card, protocol = client.connect(world.places[0].name, ShareMode.SHARED, 3)
            for apdu in (SELECT, VERIFY, "0087039B047C02800000"):
                client.transmit(card, protocol, bytes.fromhex(apdu))

    with vreader.world(CARD) as world:
        talk(world)
        world.assert_conversation("talk", update=True)
        local = world.said()
    with Helper() as helper, helper.world(CARD) as world:
        talk(world)
        world.assert_conversation("talk")
        assert [type(event) for event in world.said()] == [type(event) for event in local]
        world.mark()
        with pytest.raises(AssertionError, match="it was not sent"):
            world.assert_conversation("talk")
        assert world.said() == []
        with pytest.raises(UsageError, match="no reader"):
            world.said("other")


@pytest.mark.pcscd
@pytest.mark.clients
def test_a_real_program_says_the_same_on_every_stack(need):
    program = need("yubico-piv-tool", "yubico-piv-tool")
    need("/usr/sbin/pcscd", "pcscd")
    for stack in ("embedded", "embedded", "pcscd"):
        with vreader.world(CARD, stack=stack) as world:
            for action in ("status", "verify-pin"):
                subprocess.run(
                    [program, "-r", "Virtual", "-a", action, "-P", "123456"],
                    env={**os.environ, **world.environment},
                    check=True,
                    capture_output=True,
                    timeout=60,
                )
            world.assert_conversation("tool", update=not Path("tests").exists())
            assert len(world.said()) > 10
