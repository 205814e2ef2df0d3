# SPDX-License-Identifier: Apache-2.0
"""``vreader inf lint`` of a minidriver, alone and beside others; readers are in test_inf."""

import json
from pathlib import Path

import pytest

from vreader.setupapi.skeleton import skeleton

FIXTURES = Path(__file__).parents[1] / "setupapi" / "fixtures"
FABRIKAM = FIXTURES / "fabrikam.inf"


@pytest.fixture
def other(tmp_path):
    """A package of another vendor for the card of Fabrikam's."""
    path = tmp_path / "other.inf"
    atr = bytes.fromhex("3B0451FF0800")
    path.write_text(skeleton(atr, name="Contoso", vendor="Contoso", module="c.dll"))
    return path


def test_information_and_warnings_are_no_errors(cli):
    said = cli("inf", "lint", str(FABRIKAM))
    assert (said.code, said.err) == (0, "")
    lines = [line.split()[1:3] for line in said.out.splitlines() if not line.startswith("      ")]
    assert lines == [["info", "303"], ["info", "304"], ["warning", "326"]]


def test_beside_others(cli, other):
    said = cli("inf", "lint", str(FABRIKAM), "--with", str(other), "--with", str(FABRIKAM))
    assert said.code == 0
    assert "  337  a card of another package fits the same ATR: Fabrikam and Contoso of" in said.out
    assert "  339  a card of another package has the same name: Fabrikam of fabrikam" in said.out
    said = cli("inf", "lint", str(FABRIKAM), "--with", str(other), "--json")
    numbers = [one["number"] for one in json.loads(said.out)]
    assert sorted(set(numbers)) == [303, 304, 326, 337, 338]


def test_an_error_is_exit_code_1(cli):
    said = cli("inf", "lint", str(FIXTURES / "opensc-undefined-token.inf"))
    assert said.code == 1
    assert "error    105  a token is not defined: %SmartCardCardModule64%\n" in said.out


def test_another_file_that_cannot_be_read(cli, tmp_path):
    bad = tmp_path / "bad.inf"
    bad.write_text("[Version")
    for path, problem in ((tmp_path / "gone.inf", "cannot read"), (bad, "bad.inf, line 1, column")):
        said = cli("inf", "lint", str(FABRIKAM), "--with", str(path))
        assert (said.code, said.out) == (2, "")
        assert problem in said.err
