# SPDX-License-Identifier: Apache-2.0
"""``vreader cards``: what can be given to --card."""

import json

import pytest

from vreader.cardspec import CardSpec


def test_as_a_list(cli):
    said = cli("cards")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("piv ")
    for form in ("piv:5.4.3", "piv:neutral", "file.py:Class", "atr:3B", "none"):
        assert f"\n  {form}" in said.out or f"\n{form}" in said.out


def test_as_json(cli):
    (piv,) = (kind for kind in json.loads(cli("cards", "--json").out) if kind["name"] == "piv")
    assert list(piv["profiles"]) == ["5.4.3", "neutral"]


@pytest.mark.parametrize("profile", ["5.4.3", "neutral"])
def test_every_profile_can_be_made(cli, profile):
    assert CardSpec.parse(f"piv:{profile}").make() is not None
