# SPDX-License-Identifier: Apache-2.0
"""Checks and the inventory of rules name each other."""

import re

from minidriver_rows import rows

from vreader.minidriver.certify import PARTS, select

ROWS = {row.id: row for row in rows()}


def test_a_check_holds_rules_of_the_inventory():
    for check in select():
        assert check.rows, check.id
        for row in check.rows:
            assert row in ROWS, (check.id, row)
            assert ROWS[row].check, (check.id, row)


def test_a_rule_names_the_first_check_that_holds_it():
    first = {}
    for check in select():
        for row in check.rows:
            first.setdefault(row, check.id)
    assert {row.id: row.check for row in ROWS.values() if row.check is not None} == first


def test_a_check_is_well_formed():
    for part in PARTS:
        for check in part.checks:
            assert re.fullmatch(part.letter + r"\.[a-z0-9]+(-[a-z0-9]+)*", check.id)
            assert check.title[0].isupper(), check.id
            assert not check.title.endswith("."), check.id
            assert check.source, check.id


def test_ids_and_titles_are_unique():
    assert len({check.id for check in select()}) == len(select())
    assert len({check.title for check in select()}) == len(select())
