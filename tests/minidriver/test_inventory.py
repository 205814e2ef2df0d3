# SPDX-License-Identifier: Apache-2.0
import ast
import re
from functools import cache

from minidriver_rows import TESTS, rows

from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.abi.functions import FUNCTION, FUNCTIONS, ReadOnly
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty

KINDS = {
    *("export", "version", "parameter", "property", "file system", "access", "PIN", "challenge"),
    *("container", "crypto", "read-only", "freshness", "concurrency", "removal"),
    *("key injection", "host", "layout", "inbox", "certification test"),
}
ROWS = rows()


def test_a_row_is_well_formed():
    for row in ROWS:
        assert re.fullmatch(r"[a-z0-9-]+\.[A-Za-z0-9-]+", row.id), row.id
        assert row.kind in KINDS, row.id
        assert row.subject, row.id
        assert row.rule.endswith((".", "…")), row.id
        assert row.source, row.id


def test_ids_and_rules_are_unique():
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert len({(row.subject, row.rule) for row in ROWS}) == len(ROWS)


def test_a_row_names_its_check_or_its_tests_or_why_there_are_none():
    answers = {row.id: [bool(a) for a in (row.check, row.test, row.not_checked)] for row in ROWS}
    assert not [row for row, found in answers.items() if found.count(True) != 1]


def test_no_reason_is_a_test_that_is_not_named():
    assert not [row.id for row in ROWS if re.search(r"\btests?\b|bench of DLLs", row.not_checked)]


@cache
def functions(path):
    """The test functions of a file, or of the files of a folder without those below it."""
    files = path.glob("test_*.py") if path.is_dir() else [path]
    parsed = [ast.parse(file.read_bytes()) for file in files]
    return [n.name for tree in parsed for n in tree.body if isinstance(n, ast.FunctionDef)]


def test_tests_that_rows_name_are_there_once():
    for row in ROWS:
        for named in row.test:
            place, _, function = named.partition("::")
            assert functions(TESTS / place).count(function) == 1, (row.id, named)


def test_every_kind_has_rows_and_they_stand_together():
    kinds = [row.kind for row in ROWS]
    changes = [kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before]
    assert sorted(changes) == sorted(KINDS)


def test_every_function_and_callback_has_a_row():
    named = " ".join(f"{row.subject} {row.rule}" for row in ROWS)
    names = (*FUNCTION, *(callback.name for callback in CALLBACKS))
    assert not [name for name in names if name not in named]


def test_every_member_of_the_table_has_a_row():
    assert {row.id for row in ROWS if row.id.startswith("table.")} == {
        f"table.{function.name}" for function in FUNCTIONS
    }


def test_what_a_read_only_card_does_with_each_function_has_a_row():
    named = {row.subject for row in ROWS if row.id.startswith(("read-only.Card", "read-only.MD"))}
    assert named == {f.name for f in FUNCTION.values() if f.read_only is not ReadOnly.AS_EVER}


def test_every_property_has_a_row():
    rules = " ".join(row.rule for row in ROWS)
    missing = [name for name in (*CardProperty, *ContainerProperty) if f'"{name}"' not in rules]
    assert not missing
