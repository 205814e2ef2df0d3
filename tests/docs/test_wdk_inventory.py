# SPDX-License-Identifier: Apache-2.0
"""Every row of the inventories is proven by a test or says why not, and every test names a row.

That the tests it names pass is judged at the end of a full run: see tests/wdk_rows.py.
"""

import re
from importlib import import_module
from pathlib import Path

import pytest

from vreader.smclib.ioctl import Attr
from vreader.smclib.profile import DriverProfile
from vreader.wdm.status import NTSTATUS, WIN32
from vreader.winscard.profile import RmProfile

DOCS = Path(__file__).parents[2] / "docs"
KEYS = {"id", "kind", "subject", "rule", "source", "silent", "not_modelled"}
SEED_KEYS = {"id", "document", "item", "where", "rows", "not_modelled"}


@pytest.fixture(scope="module")
def inventory():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield import_module("inventory")


@pytest.fixture(scope="module")
def rows(inventory):
    return {row["id"]: row for row in inventory.wdk_rows()}


@pytest.fixture(scope="module")
def proofs(inventory):
    return inventory.proofs()


def test_rows_are_whole_and_ids_unique(inventory, rows):
    assert len(rows) == len(inventory.wdk_rows())
    for row in rows.values():
        assert row.keys() <= KEYS
        assert all(row[key].strip() for key in KEYS - {"silent", "not_modelled"}), row
        assert row["kind"] in inventory.HEADINGS, row
        assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", row["id"])
        assert row.get("not_modelled", "because ").startswith("because "), row


def test_every_row_has_a_test_or_a_reason(rows, proofs):
    silent = {name for name, row in rows.items() if "not_modelled" not in row} - proofs.keys()
    assert not silent, f"rows that no test names: {sorted(silent)}"


def test_what_is_not_modelled_is_proven_by_nothing(rows, proofs):
    assert not {name for name, row in rows.items() if "not_modelled" in row} & proofs.keys()


def test_every_marker_names_a_row(rows, proofs):
    unknown = {row: tests for row, tests in proofs.items() if row not in rows}
    assert not unknown


def options(rows):
    """The options that rows name where sources are silent, of driver and manager profiles."""
    for row in rows.values():
        if found := re.search(r"profile options? ((?:\w+(?:, | and )?)+)", row.get("silent", "")):
            yield from re.split(", | and ", found[1])


def test_a_named_option_is_there(rows):
    assert set(options(rows)) <= {*DriverProfile._fields, *RmProfile._fields}


def test_every_option_of_a_driver_stands_in_a_row(rows):
    assert {*DriverProfile._fields} - {"name"} <= set(options(rows))


def test_statuses_have_the_numbers_of_the_code(rows):
    told = {}
    for row in rows.values():
        if found := re.fullmatch(r"(0x\w{8}); applications see (\d+) \w+\.", row["rule"]):
            told[row["subject"].removeprefix("STATUS_")] = (int(found[1], 16), int(found[2]))
    assert told.items() <= {s.name: (s.value, w) for s, w in WIN32.items()}.items()
    assert len(told) == 35
    assert NTSTATUS.NO_MEDIA.name in told


def test_attributes_have_the_numbers_of_the_code(rows):
    told = {}
    for row in rows.values():
        if row["kind"] == "attribute" and (tag := re.match(r"0x\w{8}(?=,)", row["rule"])):
            told[re.sub("^SCARD_(ATTR_)?", "", row["subject"])] = int(tag[0], 16)
    assert told == {tag.name: tag.value for tag in Attr}


# ---------------------------------------------------------------------- the first five pages


def test_seed_rows_are_whole(inventory):
    rows = inventory.seed_rows()
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row.keys() <= SEED_KEYS
        assert all(row[key].strip() for key in ("id", "document", "item")), row
        if why := row.get("not_modelled"):
            assert why.startswith(("because ", "not yet: ")), row
            assert not row.keys() & {"where", "rows"}, row
        else:
            assert row["where"], row
            assert row["rows"], row


def test_where_is_there(inventory):
    for row in inventory.seed_rows():
        for place in row.get("where", ()):
            module, _, name = place.partition(":")
            found = import_module(module)
            for part in filter(None, name.split(".")):
                found = getattr(found, part)


def test_seed_rows_are_proven(inventory, rows, proofs):
    for row in inventory.seed_rows():
        assert set(row.get("rows", ())) <= rows.keys(), row
        assert set(row.get("rows", ())) <= proofs.keys(), row


# ---------------------------------------------------------------------- the pages


@pytest.mark.parametrize("page", ["wdk_coverage", "seed_coverage"])
def test_pages_are_fresh(inventory, page):
    written = (inventory.REFERENCE / f"{page.replace('_', '-')}.md").read_text()
    assert written == getattr(inventory, page)(), "run: python docs/generate.py"


def test_markers_are_found_wherever_they_stand(inventory, tmp_path):
    (tmp_path / "test_x.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.wdk('module')\n"
        "@pytest.mark.wdk('class')\n"
        "class TestX:\n"
        "    @pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.wdk('case'))])\n"
        "    @pytest.mark.wdk('one', 'two')\n"
        "    def test_it(self, x): pass\n"
    )
    method = ["test_x.py::TestX::test_it"]
    assert inventory.proofs(tmp_path) == {
        "module": ["test_x.py"],
        "class": ["test_x.py::TestX"],
        "case": method,
        "one": method,
        "two": method,
    }
