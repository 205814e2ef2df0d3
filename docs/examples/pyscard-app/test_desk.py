# SPDX-License-Identifier: Apache-2.0
"""The desk with cards that are inserted, pulled, of another kind and out of order."""

import pytest
from desk import Desk, DeskError

PIN = "123456"


@pytest.fixture
def desk():
    return Desk()


def test_the_right_pin(vreader, desk):
    desk.unlock(PIN)
    assert not desk.locked


def test_wrong_pins_block_the_card(vreader, desk):
    for reason in ("2 tries left", "1 tries left", "0 tries left", "blocked"):
        with pytest.raises(DeskError, match=reason):
            desk.unlock("000000")
    with pytest.raises(DeskError, match="blocked"):
        desk.unlock(PIN)


@pytest.mark.vreader(card="none")
def test_no_card(vreader, desk):
    with pytest.raises(DeskError, match="insert your card"):
        desk.unlock(PIN, patience_s=0)


@pytest.mark.vreader(card="atr:3B800181")
def test_another_card(vreader, desk):
    with pytest.raises(DeskError, match="not a PIV card"):
        desk.unlock(PIN)


@pytest.mark.vreader(faults="remove-mid-apdu,on=VERIFY")
def test_the_card_is_pulled_too_early(vreader, desk):
    with pytest.raises(DeskError, match="leave your card in"):
        desk.unlock(PIN)
    assert desk.locked


def test_it_locks_itself_when_the_card_is_taken_out(vreader):
    with Desk() as desk:
        desk.unlock(PIN)
        assert desk.card_seen.wait(timeout=10)
        vreader.remove()
        assert desk.card_gone.wait(timeout=10)
        assert desk.locked
