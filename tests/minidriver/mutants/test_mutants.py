# SPDX-License-Identifier: Apache-2.0
"""The certification finds every mutant by one check, and every check finds one.

That no other check fails takes a whole run for each mutant: every twentieth here, all of them with
``VREADER_MUTANTS=all``, which ``make mutants`` sets.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mutants import CARDS, SETTINGS, mutants, subject

from vreader.minidriver.certify import Outcome, certify, select

ALL = mutants()
WHOLE = ALL if os.environ.get("VREADER_MUTANTS") == "all" else ALL[::20]


@pytest.mark.parametrize("card", CARDS)
def test_nothing_fails_for_the_minidriver_itself(card):
    certificate = certify(subject(card), SETTINGS)
    assert not [
        (r.check.id, r.message) for r in certificate.results if r.check.id in certificate.failed
    ]


@pytest.mark.parametrize(("minimum", "current"), [(4, 4), (4, 5), (5, 6), (7, 7)])
def test_nothing_fails_for_a_minidriver_of_other_versions(minimum, current):
    served = f"negotiate(data.version, {current}, {minimum})"
    made = subject("", "memory.module", "negotiate(data.version, CURRENT_VERSION)", served)
    settings = SETTINGS._replace(minimum_version=minimum, current_version=current)
    certificate = certify(made, settings)
    assert not [
        (r.check.id, r.message) for r in certificate.results if r.check.id in certificate.failed
    ]


def test_every_check_applies_to_one_of_the_cards():
    applied = {
        result.check.id
        for card in CARDS
        for result in certify(subject(card), SETTINGS).results
        if result.outcome is not Outcome.NOT_APPLICABLE
    }
    assert applied == {check.id for check in select()}


def test_every_check_finds_a_mutant():
    assert {mutant.check for mutant in ALL} == {check.id for check in select()}


def test_there_are_at_least_forty_mutants():
    assert len({(m.module, m.old, m.new) for m in ALL}) >= 40


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.check)
def test_a_mutant_fails_its_check(mutant):
    made = subject(mutant.card, mutant.module, mutant.old, mutant.new)
    certificate = certify(made, SETTINGS, only=[mutant.check])
    assert certificate.failed == [mutant.check]


@pytest.mark.parametrize("mutant", WHOLE, ids=lambda mutant: mutant.check)
def test_a_mutant_fails_no_other_check(mutant):
    made = subject(mutant.card, mutant.module, mutant.old, mutant.new)
    assert certify(made, SETTINGS).failed == [mutant.check]
