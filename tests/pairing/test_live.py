# SPDX-License-Identifier: Apache-2.0
"""The card in a running world, asked by PC/SC."""

import pytest

import vreader
from vreader.bridge.pcsclite.client import PcscClient
from vreader.errors import VreaderError
from vreader.pairing.live import LiveCard, live_readers, open_live
from vreader.pairing.machine import Machine
from vreader.pairing.windows import Windows
from vreader.winscard.probing import GIDS_CARD


@pytest.fixture
def world():
    with vreader.world("none", "gids", readers=["Empty", "Full"]) as found:
        found.insert_all()
        yield found


@pytest.fixture
def socket(world):
    return world.environment["PCSCLITE_CSOCK_NAME"]


def test_it_pairs_like_a_card_of_our_own(socket):
    card = LiveCard(socket)
    assert card.reader.startswith("Full")
    with Machine(Windows.parse("10.0-amd64")) as machine:
        found = machine.insert(card, card.reader)
    card.close()
    assert (found.card_name, found.class_verdict) == (GIDS_CARD, "GIDS")


@pytest.mark.parametrize(
    ("part", "why"), [("Nobody", "no reader is called"), ("Empty", "no card is in")]
)
def test_a_reader_without_a_card(socket, part, why):
    with pytest.raises(VreaderError, match=why):
        LiveCard(socket, part)


def test_a_card_in_use_is_left_alone(socket):
    with PcscClient(socket) as other:
        other.establish()
        reader = next(state.name for state in other.readers() if state.atr)
        other.connect(reader, 2, 3)
        with pytest.raises(VreaderError, match="cannot be had"):
            LiveCard(socket)


def test_a_card_that_leaves_is_told(world, socket):
    card = LiveCard(socket)
    with Machine(Windows.parse("10.0-amd64")) as machine:
        world.remove("1")
        found = machine.insert(card, card.reader)
    card.close()
    assert "cannot be asked" in found.problem


def test_readers_with_a_card_and_without(socket, monkeypatch):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", socket)
    assert [(one.name, one.full) for one in live_readers("")] == [
        ("Empty 00 00", False),
        ("Full 00 00", True),
    ]
    assert [one.where for one in live_readers("full")] == ["Full 00 00"]
    monkeypatch.setattr("vreader.pairing.live.SYSTEM_SOCKET", socket)
    assert [one.where for one in live_readers("pcsc:Full")] == ["pcsc:Full 00 00"]
    with pytest.raises(VreaderError, match="no reader is called 'Nobody'"):
        live_readers("Nobody")


def test_a_whole_name_means_that_reader_alone(monkeypatch):
    with vreader.world("piv", "gids", readers=["My Reader", "Reader"]) as world:
        world.insert_all()
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", world.environment["PCSCLITE_CSOCK_NAME"])
        (whole,) = live_readers("Reader 00 00")
        card = open_live(whole.where)
        card.close()
        assert card.reader == whole.name == "Reader 00 00"
        assert len(live_readers("Reader")) == 2


def test_pcsc_means_the_systems_service(monkeypatch, socket):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", socket)
    open_live("Full").close()
    monkeypatch.setattr("vreader.pairing.live.SYSTEM_SOCKET", "/nonexistent/pcscd.comm")
    with pytest.raises(VreaderError, match="/nonexistent"):
        open_live("pcsc:Full")


def test_a_service_that_dies_is_a_card_that_left(world, socket, caplog):
    card = LiveCard(socket)

    class Dying:
        """The card, and a world that ends while it is asked."""

        reset, power_on, power_off = card.reset, card.power_on, card.power_off

        def transmit(self, c_apdu):
            world.close()
            return card.transmit(c_apdu)

    with Machine(Windows.parse("10.0-amd64")) as machine:
        found = machine.insert(Dying(), card.reader)
    card.close()
    assert "it has left" in found.problem
    assert not caplog.records  # a defect of a card is logged


def test_a_reader_is_named_in_either_case(socket):
    card = LiveCard(socket, "FULL")
    assert card.reader.startswith("Full")
    card.close()
