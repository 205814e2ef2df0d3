# SPDX-License-Identifier: Apache-2.0
"""``vreader cards``: what can be given to --card."""

import json

import pytest

from cards.piv import KIND
from cards.platform.kind import AppletKind
from vreader.cardspec import CardSpec
from vreader.kinds import OWN_KINDS, find_kind


def test_as_a_list(cli):
    said = cli("cards")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("blank ")
    assert "\npiv " in said.out
    for form in ("piv:5.4.3", "piv:neutral", "file.py:Class", "atr:3B", "none"):
        assert f"\n  {form}" in said.out or f"\n{form}" in said.out


def test_as_json(cli):
    (piv,) = (kind for kind in json.loads(cli("cards", "--json").out) if kind["name"] == "piv")
    assert list(piv["profiles"]) == list(KIND.profiles())


@pytest.mark.parametrize("name", [n for n in OWN_KINDS if isinstance(find_kind(n), AppletKind)])
def test_every_profile_can_be_made(cli, name):
    for profile in find_kind(name).profiles():
        assert CardSpec.parse(f"{name}:{profile}").make() is not None
