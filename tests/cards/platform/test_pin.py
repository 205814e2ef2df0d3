# SPDX-License-Identifier: Apache-2.0
"""A PIN object: the counter is committed before the comparison."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.platform import Nvm, Pin, Refuse
from cards.platform.nvm import MemoryBackend


class Backend(MemoryBackend):
    def __init__(self):
        self.writes = []

    def write(self, changes):
        self.writes.append(dict(changes))


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def nvm(backend):
    return Nvm(backend)


@pytest.fixture
def pin(nvm):
    pin = Pin(nvm.area("t"), "pin")
    pin.create(b"123456", 3)
    nvm.commit()
    return pin


def refusal(pin, value):
    with pytest.raises(Refuse) as caught:
        pin.check(value)
    return caught.value.sw


def test_wrong_values_count_down_to_blocked(pin):
    assert [refusal(pin, b"654321") for _ in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert pin.blocked
    assert refusal(pin, b"123456") == 0x6983


def test_a_right_value_restores_the_counter(pin):
    refusal(pin, b"x")
    pin.check(b"123456")
    assert (pin.tries_left, pin.tries_max) == (3, 3)


def test_the_counter_is_stored_before_the_comparison(pin, nvm, backend, monkeypatch):
    stored = []
    monkeypatch.setattr(Pin, "equals", lambda self, value: stored.append(backend.writes[-1]))
    refusal(pin, b"123456")
    assert stored == [{("t", "pin.tries"): b"\x02\x03"}]


def test_a_refusal_does_not_give_the_try_back(pin, nvm):
    refusal(pin, b"x")
    nvm.rollback()
    assert pin.tries_left == 2


def test_a_right_value_that_is_rolled_back_costs_a_try(pin, nvm):
    pin.check(b"123456")
    nvm.rollback()
    assert pin.tries_left == 2


def test_change_restores_the_counter(pin):
    refusal(pin, b"x")
    pin.change(b"new")
    assert pin.tries_left == 3
    pin.check(b"new")


def test_many_tries_are_shown_as_15(nvm):
    pin = Pin(nvm.area("t"), "puk")
    pin.create(b"1", 255)
    assert refusal(pin, b"2") == 0x63CF
    assert pin.tries_left == 254


@pytest.mark.parametrize("tries", [0, 256, -1])
def test_limits_of_the_counter(nvm, tries):
    with pytest.raises(ValueError, match="retry counter"):
        Pin(nvm.area("t"), "p").create(b"1", tries)


def test_lengths_do_not_matter_for_the_comparison(pin):
    assert not pin.equals(b"")
    assert not pin.equals(b"1234567")
    assert pin.equals(b"123456")


class Disk(MemoryBackend):
    """Keeps what was written when the process dies."""

    def __init__(self):
        self.kept = {}

    def load(self):
        return dict(self.kept)

    def write(self, changes):
        self.kept.update(changes)


@given(st.lists(st.sampled_from(["right", "wrong", "change", "commit", "rollback", "crash"])))
def test_no_end_of_the_power_gives_a_try_back(steps):
    disk, limit = Disk(), 5
    nvm = Nvm(disk)
    pin = Pin(nvm.area("t"), "pin")
    pin.create(b"123456", limit)
    nvm.commit()
    spent = 0  # comparisons whose good end was not committed
    restored = False
    for step in steps:
        match step:
            case "right" | "wrong":
                # A comparison starts a command: the one before was committed or rolled back.
                nvm.rollback()
                restored = False
                if pin.blocked:
                    continue
                spent += 1
                value = b"123456" if step == "right" else b"654321"
                try:
                    pin.check(value)
                    restored = True
                except Refuse:
                    assert step == "wrong"
            case "change":
                pin.change(b"123456")
                restored = True
            case "commit":
                nvm.commit()
                spent = 0 if restored else spent
                restored = False
            case "rollback":
                nvm.rollback()
                restored = False
            case "crash":
                nvm = Nvm(disk)
                pin = Pin(nvm.area("t"), "pin")
                restored = False
        assert disk.kept["t", "pin.tries"][0] == limit - min(spent, limit)
