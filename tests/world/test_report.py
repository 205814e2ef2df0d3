# SPDX-License-Identifier: Apache-2.0
"""What is told of a world when a test with it has failed."""

import threading

import pytest

import vreader
from vreader.world import KEPT_EVENTS, World

ATR = "atr:3B80800101"
PIN = bytes.fromhex("0020008008313233343536FFFF")


def verify(world, reader=0):
    scard = world.scard
    context = scard.SCardEstablishContext()
    card, protocol = scard.SCardConnect(context, world.places[reader].name)
    scard.SCardTransmit(card, protocol, bytes.fromhex("00A4040005A000000308"))
    scard.SCardTransmit(card, protocol, PIN)


def test_readers_cards_and_events():
    with vreader.world("piv", "none", ATR, stack="in-process") as world:
        verify(world)
        world.remove(2)
        lines = world.report().splitlines()
        assert lines[0] == "Virtual Reader 00 00 (reader0): piv, inserted, SPECIFIC"
        assert "    PIN             3 of 3 tries left" in lines
        assert "Virtual Reader 2 00 00 (reader1): no card, out, ABSENT" in lines
        assert f"Virtual Reader 3 00 00 (reader2): {ATR}, out, ABSENT" in lines
        events = lines[lines.index("last events:") + 1 :]
        assert any("VERIFY PIV PIN" in line for line in events)
        assert "31 32 33" not in world.report()
        assert world.report(1).count("reader") < world.report(2).count("reader") + 1
        assert world.last_events(1)[0] in world.report(1)
        assert "last events:" not in world.report(0)


def test_how_many_events_are_kept():
    with World(["none"], stack="in-process") as world:
        assert world.last_events() == []
        assert "last events" not in world.report()
    with vreader.world(stack="in-process", keep_events=2) as world:
        assert len(world.last_events()) == 2
    with vreader.world(stack="in-process") as world:
        for _ in range(KEPT_EVENTS):
            world.remove()
            world.insert()
        assert len(world.last_events()) == KEPT_EVENTS


def test_a_card_that_works_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("vreader.world.report._PATIENCE_S", 0.01)
    with vreader.world(stack="in-process") as world:
        (place,) = world.places
        held, done = threading.Event(), threading.Event()

        def work(card):
            held.set()
            done.wait(30)

        thread = threading.Thread(
            target=world.host.serial_card(place.card).look, args=(work, 30), daemon=True
        )
        thread.start()
        assert held.wait(30)
        assert "    the card is at work" in world.report()
        done.set()
        thread.join()
        assert "    kind " in world.report()


@pytest.mark.parametrize("what", ["facts", "kind"])
def test_a_card_that_cannot_be_read_hides_nothing_else(what, monkeypatch, tmp_path):
    path = tmp_path / "card.toml"
    path.write_text('kind = "piv"\n')
    with vreader.world(str(path), stack="in-process") as world:
        if what == "kind":
            path.unlink()
        else:
            monkeypatch.setattr(world.places[0].card.nvm, "area", lambda name: 1 / 0)
        report = world.report()
        assert ("cannot be read: ZeroDivisionError" in report) is (what == "facts")
        assert "last events:" in report
