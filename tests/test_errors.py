# SPDX-License-Identifier: Apache-2.0
"""What went wrong, what to do next, and what a person meant who mistyped a word."""

import pickle
import traceback

from vreader.errors import UsageError, VreaderError, near


def test_a_traceback_says_the_hint():
    error = UsageError("no x.tmp", hint="write x.tmp")
    assert traceback.format_exception_only(error)[1:] == ["hint: write x.tmp\n"]
    error.rename("x.tmp", "x")
    assert (str(error), error.hint) == ("no x", "write x")
    copy = pickle.loads(pickle.dumps(error))
    assert traceback.format_exception_only(copy)[1:] == ["hint: write x\n"]
    assert len(traceback.format_exception_only(VreaderError("no x"))) == 1


def test_near():
    assert near("sloot", {"slot": "", "pin": ""}) == "did you mean slot?"
    assert near("x", ["slot"]) == ""
    assert near("pin", ["pnp", "hist", "atr"]) == ""
    assert near("pvi", ["gids", "piv", "tpmvsc"], 0.6) == "did you mean piv?"
