# SPDX-License-Identifier: Apache-2.0
"""Golden files in a run of pytest: the flag that writes them, and what a failure shows."""

import os

from vreader.conversation.golden import UPDATE
from vreader.testing import UPDATE_GOLDEN

TEST = """
from vreader.winscard.codes import ShareMode

def test_it(vreader):
    api = vreader.scard
    context = api.SCardEstablishContext()
    card, protocol = api.SCardConnect(context, vreader.places[0].name, ShareMode.SHARED)
    for apdu in ("00A4040005A000000308", "%s"):
        api.SCardTransmit(card, protocol, bytes.fromhex(apdu))
    api.SCardReleaseContext(context)
    vreader.assert_conversation("it")
"""


def test_missing_then_made_then_compared(pytester, monkeypatch):
    monkeypatch.delenv(UPDATE_GOLDEN, raising=False)
    pytester.makepyfile(TEST % "00200080")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *no golden file tests/golden/it.txt*--vreader-update*"])
    pytester.runpytest("--vreader-update").assert_outcomes(passed=1)
    assert UPDATE_GOLDEN not in os.environ
    pytester.runpytest().assert_outcomes(passed=1)
    pytester.makepyfile(TEST % "00200081")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *line 6: command 2 of 2: another command: byte 3 is 81, not 80*"]
    )
    assert "golden.py" not in result.stdout.str()


def test_a_variable_of_the_users_stays(pytester, monkeypatch):
    monkeypatch.setenv(UPDATE_GOLDEN, "1")
    pytester.makepyfile(TEST % "00200080")
    pytester.runpytest("--vreader-update").assert_outcomes(passed=1)
    assert os.environ[UPDATE_GOLDEN] == "1"


def test_there_is_one_name():
    assert UPDATE == UPDATE_GOLDEN
