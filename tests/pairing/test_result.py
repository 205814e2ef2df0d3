# SPDX-License-Identifier: Apache-2.0
"""What an answer says in a word and in a sentence, and whether anything is loaded."""

import json

import pytest
from sample_pairings import CSP, KSP, pairing

from vreader.pairing.result import Module

MISSING = Module("ours.dll", "C:\\ours.dll", False)
UNKNOWN = Module("ours.dll", "C:\\ours.dll", None)


@pytest.mark.parametrize(
    ("other", "outcome", "answer"),
    [
        ({}, "ours.dll", f"is loaded through {CSP} and {KSP}"),
        ({"csp": ""}, "ours.dll", f"is loaded through {KSP}"),
        ({"csp": CSP.upper(), "ksp": ""}, "ours.dll", f"is loaded through {CSP.upper()}"),
        ({"module": UNKNOWN}, "ours.dll", "is loaded through"),
        ({"class_verdict": "unknown"}, "ours.dll", "but does not know this card"),
        ({"module": MISSING}, "ours.dll (not loaded)", "the file is not there"),
        ({"csp": "", "ksp": ""}, "ours.dll (not loaded)", "no provider that would load it"),
        ({"csp": "Own", "ksp": ""}, "ours.dll (not loaded)", "no provider that would load it"),
        ({"module": None}, "none", "no minidriver is named for it"),
        ({"card_name": "", "module": None}, "none", "no program finds this card by a name"),
        ({"problem": "it has left"}, "error", "it has left"),
    ],
)
def test_in_a_word_and_in_a_sentence(other, outcome, answer):
    found = pairing(module="ours.dll")._replace(**other)
    assert found.outcome == outcome
    assert answer in found.answer
    assert found.loaded == (outcome == "ours.dll")
    assert json.loads(json.dumps(found.record()))["outcome"] == outcome
