# SPDX-License-Identifier: Apache-2.0
"""Another application resets a card as any may, and is not let where nobody is."""

import pytest

import vreader
from vreader.winscard.codes import SCARD, Disposition, ScardError, ShareMode

COMMAND = bytes.fromhex("00A4000C")


@pytest.fixture
def world():
    with vreader.world("atr:3B80800101", stack="in-process") as world:
        yield world


def connect(world, share=ShareMode.SHARED):
    context = world.scard.SCardEstablishContext()
    return world.scard.SCardConnect(context, world.places[0].name, share)


def code(call, *args, **options):
    try:
        call(*args, **options)
    except ScardError as error:
        return error.code
    return SCARD.S_SUCCESS


def test_every_program_learns_of_it_and_nothing_of_it_stays(world):
    (one, protocol), (other, _) = connect(world), connect(world)
    world.fault("reset-by-other")
    contexts = set(world.host.rm.contexts)
    world.scard.SCardTransmit(one, protocol, COMMAND)
    for card in (one, other):
        assert code(world.scard.SCardTransmit, card, protocol, COMMAND) is SCARD.W_RESET_CARD
    assert set(world.host.rm.contexts) == contexts
    world.scard.SCardReconnect(one, dwInitialization=Disposition.LEAVE)
    world.scard.SCardTransmit(one, protocol, COMMAND)


def test_who_has_the_reader_for_himself_is_left_alone(world):
    card, protocol = connect(world, ShareMode.EXCLUSIVE)
    world.fault("reset-by-other")
    for _ in range(2):
        world.scard.SCardTransmit(card, protocol, COMMAND)
    assert world.places[0].faults[0].struck == 1
