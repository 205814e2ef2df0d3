# SPDX-License-Identifier: Apache-2.0
"""Choices: read, told, and what they mean beside a registry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.policy import CHOICES, MEANINGS, SCPNP, SEARCHING, Policy
from vreader.registry import Registry, Value


def test_each_has_a_meaning_and_a_field():
    assert set(MEANINGS) == {*CHOICES, "not-found"}
    assert {name.replace("-", "_") for name in MEANINGS} == set(Policy._fields)


@given(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in CHOICES.items()}))
def test_what_differs_is_told_and_read_again(options):
    policy = Policy().with_options(options)
    told = policy.record()
    assert Policy.parse(",".join(f"{name}={value}" for name, value in told.items())) == policy
    assert set(told) <= set(options)


def test_status_words():
    assert Policy.parse("not-found=6A82/6a88").not_found == (0x6A82, 0x6A88)
    assert Policy.parse("not-found=6A88").record() == {"not-found": "6A88"}


@pytest.mark.parametrize("word", ["", "6A", "0x6A", "+A82", "6_82", " 6A8", "6A822", "٦٨٨٢"])
def test_no_status_words(word):
    with pytest.raises(UsageError, match="is no status word"):
        Policy.parse(f"not-found={word}")


def registry(path, name, value):
    found = Registry()
    found.create(path).set(name, value)
    return found


@pytest.mark.parametrize(
    ("value", "on"),
    [(Value.dword(0), False), (Value.dword(1), True), (Value.sz("0"), True)],
)
def test_group_policy(value, on):
    machine = registry(SCPNP, "EnableScPnP", value)
    assert Policy().card_pnp(machine) is on
    assert not Policy(plug_and_play="off").card_pnp(machine)
    assert Policy(plug_and_play="on").card_pnp(machine)


@pytest.mark.parametrize(("number", "when"), [(0, "never"), (1, "always"), (2, "not-found")])
def test_when_windows_update_is_searched(number, when):
    machine = registry(SEARCHING, "SearchOrderConfig", Value.dword(number))
    assert Policy().update_search(machine) == when
    assert Policy(update="not-found").update_search(machine) == "not-found"
    assert Policy().update_search(Registry()) == "always"
