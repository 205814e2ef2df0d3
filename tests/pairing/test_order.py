# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.errors import UsageError
from vreader.pairing.matching import Pattern
from vreader.pairing.order import index_of, ordered

MADE = [Pattern(name, b"") for name in ("beta", "Alpha", "gamma", "ALPINE")]


def names(*options, **more):
    return [entry.name for entry in ordered(MADE, *options, **more)]


def test_by_name_in_any_case_as_the_registry_has_it():
    assert names() == names("name") == ["Alpha", "ALPINE", "beta", "gamma"]


def test_as_they_were_made():
    assert names("created") == ["beta", "Alpha", "gamma", "ALPINE"]


def test_given_names_come_first():
    assert names(first=["GAMMA", "alpha", "gamma"]) == ["gamma", "Alpha", "ALPINE", "beta"]
    assert names("created", first=["gamma"]) == ["gamma", "beta", "Alpha", "ALPINE"]


def test_a_name_nobody_has():
    with pytest.raises(UsageError, match="no card is registered as 'gama'") as caught:
        names(first=["gama"])
    assert caught.value.hint == "did you mean gamma?"
    with pytest.raises(UsageError) as caught:
        index_of([], "x")
    assert caught.value.hint == "there are: none"
