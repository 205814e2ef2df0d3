# SPDX-License-Identifier: Apache-2.0
"""The page on profiles says everything in which they differ, and a test holds each difference."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from vreader.winscard.profile import PCSCLITE, PROFILES, WINDOWS, Operation, RmProfile
from vreader.winscard.status_change import StatusRules

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
# Differences of single rows are asked for by their row, e.g. ``world.rm.checks["begin"]``.
BY_ROW = {"checks", "errors", "no_card"}


@pytest.fixture(scope="module")
def tables():
    before = list(sys.path)
    sys.path.insert(0, str(DOCS))
    try:
        yield runpy.run_path(str(DOCS / "resource_manager.py"))
    finally:
        sys.path[:] = before


def differing(one, other):
    return {name for name in one._fields if getattr(one, name) != getattr(other, name)}


def test_every_option_has_a_meaning_and_a_row(tables):
    for kind, table, left_out in (
        (RmProfile, tables["options"], set(tables["TABLES"])),
        (StatusRules, tables["status"], set()),
    ):
        assert list(tables["meanings"](kind)) == list(kind._fields)
        rows = re.findall(r"^\| `(\w+)` \|", "".join(table()), re.MULTILINE)
        assert set(rows) == set(kind._fields) - left_out


def test_the_table_is_what_the_profiles_say(tables):
    table = "".join(tables["options"]())
    assert "| `transaction_idle_s` | none | *5* | *5* | " in table
    assert "| `max_readers` | none | *10* | *10* | " in table
    assert "| `stops_without_readers` | no | *yes* | no | " in table
    assert "| `reader_name` | `Vendor Type 00 00` | *`Vendor Type 0`* | " in table
    checks = "".join(tables["checks"]())
    assert checks.count("\n| ") == len(PCSCLITE.checks)
    assert "| SCardTransmit | SHARING, READER, RESET, REMOVED, CARD | *WAIT, " in checks


@pytest.mark.parametrize("name", ["pcsclite", "windows"])
def test_every_status_has_its_row_of_errors(tables, name):
    table = "".join(tables["errors"](name))
    assert "NO_MEDIA (1112)" in table
    assert table.splitlines()[0].count("|") == len(Operation) + 2
    assert ("itself" in table) is (name == "windows")


@pytest.mark.parametrize("option", sorted(differing(PCSCLITE, WINDOWS) - BY_ROW - {"name"}))
def test_a_test_asks_for_each_option_in_which_profiles_differ(option):
    asked = re.compile(rf'(rm|profile|WINDOWS)\.{option}\b|only_where\("{option}"|\b{option}=')
    found = [
        path.name
        for room in ("conversations", "winscard", "host")
        for path in (TESTS / room).rglob("*.py")
        if asked.search(path.read_text())
    ]
    assert found, f"no test depends on {option}"


@pytest.mark.parametrize("option", sorted(differing(PCSCLITE.status, WINDOWS.status)))
def test_a_test_asks_for_each_rule_of_telling(option):
    text = "".join(path.read_text() for path in (TESTS / "conversations").glob("*.py"))
    text += (TESTS / "winscard" / "test_power.py").read_text()
    assert re.search(rf"(status_rules|status)\.{option}\b", text)


def test_the_page_includes_the_tables():
    page = (DOCS / "reference" / "rm-profiles.md").read_text()
    for name in ("options", "status", "checks", "errors-pcsclite", "errors-windows"):
        assert f"_generated/rm-{name}.md" in page
    assert all(f"`{name}`" in page for name in PROFILES)
