# SPDX-License-Identifier: Apache-2.0
"""Another program resets a card at a real pcscd, in its turn."""

import time

import pytest

import vreader
from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.vpcd.installation import VPCD, find_installation
from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD
from vreader.world.otherclient import OtherProgram

pytestmark = [pytest.mark.clients, pytest.mark.pcscd]
SELECT = bytes.fromhex("00A4040005A000000308")
SHARED, EXCLUSIVE, T0_T1 = 2, 1, 3
PATIENCE_S = 20


@pytest.fixture(scope="module")
def world():
    try:
        find_installation(wanted=VPCD)
    except VreaderError as error:
        pytest.skip(str(error))
    with vreader.world("piv", stack="pcscd", faults=["reset-by-other"]) as world:
        yield world


@pytest.fixture
def client(world):
    with PcscClient(world.environment["PCSCLITE_CSOCK_NAME"]) as client:
        client.establish()
        yield client
        client.release()  # pcscd sees the end of a connection in its own time


def code(call, *args):
    try:
        call(*args)
    except PcscError as error:
        return SCARD(error.code)
    return SCARD.S_SUCCESS


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_is_connected_from_the_start_until_it_has_done_its_work(world, client):
    name = world.places[0].name
    assert code(client.connect, name, EXCLUSIVE, T0_T1) is SCARD.E_SHARING_VIOLATION
    card, protocol = client.connect(name, SHARED, T0_T1)
    client.transmit(card, protocol, SELECT)
    assert code(client.transmit, card, protocol, SELECT) is SCARD.W_RESET_CARD
    client.disconnect(card)
    until(lambda: code(client.connect, name, EXCLUSIVE, T0_T1) is SCARD.S_SUCCESS)


def test_it_waits_for_the_end_of_a_transaction(world, client):
    card, protocol = client.connect(world.places[0].name, SHARED, T0_T1)
    world.fault("reset-by-other")
    client.begin(card)
    for _ in range(2):
        client.transmit(card, protocol, SELECT)
    client.end(card)
    until(lambda: code(client.transmit, card, protocol, SELECT) is SCARD.W_RESET_CARD)


def test_cleared_it_goes(world, client):
    name = world.places[0].name
    world.fault("reset-by-other,times=always")
    assert code(client.connect, name, EXCLUSIVE, T0_T1) is SCARD.E_SHARING_VIOLATION
    world.clear_faults()
    until(lambda: code(client.connect, name, EXCLUSIVE, T0_T1) is SCARD.S_SUCCESS)


def test_the_card_begins_when_the_program_has_asked(world, client, monkeypatch):
    connect = OtherProgram._connect

    def late(program):
        time.sleep(0.3)  # as on a machine with much to do
        return connect(program)

    card, protocol = client.connect(world.places[0].name, SHARED, T0_T1)
    world.fault("reset-by-other")
    monkeypatch.setattr(OtherProgram, "_connect", late)
    client.transmit(card, protocol, SELECT)
    assert code(client.transmit, card, protocol, SELECT) is SCARD.W_RESET_CARD
