# SPDX-License-Identifier: Apache-2.0
"""The class minidriver: which of the two it is, and what it refuses."""

import pytest
from driving import Driven, code_of, driving, new_card

from vreader.card import CardMute
from vreader.kinds import find_kind
from vreader.minidriver.abi.codes import NO_CARD_MODE
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.drivers.gids import GidsMinidriver
from vreader.minidriver.drivers.piv import PivMinidriver
from vreader.winscard.codes import SCARD


class Silent:
    """A card that answers every command alike."""

    def __init__(self, sw):
        self.sw = bytes.fromhex(sw)

    def power_on(self):
        return bytes.fromhex("3B80800101")

    reset = power_on

    def power_off(self): ...

    def transmit(self, c_apdu):
        return self.sw


@pytest.mark.parametrize(
    ("kind", "driver"),
    [
        ("piv", PivMinidriver),
        ("yubikey", PivMinidriver),
        ("gids", GidsMinidriver),
        ("tpmvsc", GidsMinidriver),
    ],
)
def test_piv_before_gids(kind, driver):
    with driving(new_card(kind)) as driven:
        assert type(driven.md) is driver


def test_not_found_is_gids_and_anything_else_is_not():
    with driving(Silent("6A82")) as driven:
        assert type(driven.md) is GidsMinidriver
    with pytest.raises(MinidriverError) as caught:
        Driven(Silent("6D00"))
    assert caught.value.code is SCARD.E_UNKNOWN_CARD


def test_versions(gids):
    for wanted, negotiated in ((4, 4), (5, 5), (6, 6), (7, 7), (99, 7)):
        assert gids.acquire(wanted).version == negotiated
    assert code_of(gids.acquire, 3) is CardWin32.REVISION_MISMATCH
    assert "CardGetProperty" not in gids.acquire(5).table()


def test_what_it_refuses(gids, piv):
    acquire = gids.module.CardAcquireContext
    invalid = SCARD.E_INVALID_PARAMETER
    assert code_of(acquire, None, 0) is invalid
    assert code_of(acquire, gids.data(), 2) is invalid
    assert code_of(acquire, gids.data(card_name=None), 0) is invalid
    assert code_of(acquire, gids.data(card=0), 0) is SCARD.E_INVALID_HANDLE
    assert code_of(acquire, gids.data(card=gids.card + 1), 0) is SCARD.E_INVALID_HANDLE
    server = piv.module.CardAcquireContext(piv.data(atr=b"", context=0, card=0), NO_CARD_MODE)
    assert server.no_card
    assert find_kind("gids")


class Counting(Silent):
    """A card with both applications, that tells what it is asked."""

    def __init__(self):
        super().__init__("9000")
        self.asked = []

    def transmit(self, c_apdu):
        self.asked.append(c_apdu)
        return super().transmit(c_apdu)


def test_a_card_with_both_is_piv_and_not_even_asked_for_the_other():
    card = Counting()
    with driving(card) as driven:
        assert type(driven.md) is PivMinidriver
        assert [c.hex() for c in card.asked] == ["00a4040009a0000003080000100000"]


class Mute(Silent):
    def transmit(self, c_apdu):
        raise CardMute


def test_a_card_that_does_not_answer_is_no_unknown_card():
    with pytest.raises(MinidriverError) as caught:
        Driven(Mute("9000"))
    assert caught.value.code is SCARD.E_COMM_DATA_LOST
