# SPDX-License-Identifier: Apache-2.0
import re

from minidriver_rows import rows

from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.abi.functions import FUNCTION, FUNCTIONS, ReadOnly
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty

KINDS = {
    *("export", "version", "parameter", "property", "file system", "access", "PIN", "challenge"),
    *("container", "crypto", "read-only", "freshness", "concurrency", "removal"),
    *("key injection", "host", "layout", "inbox"),
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


def test_a_row_names_its_check_or_why_there_is_none():
    assert not [row.id for row in ROWS if (row.check is None) is not bool(row.not_checked)]


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
    assert named == {f.name for f in FUNCTIONS if f.read_only is not ReadOnly.AS_EVER}


def test_every_property_has_a_row():
    rules = " ".join(row.rule for row in ROWS)
    missing = [name for name in (*CardProperty, *ContainerProperty) if f'"{name}"' not in rules]
    assert not missing
