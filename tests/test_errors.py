# SPDX-License-Identifier: Apache-2.0
"""What a person meant who mistyped a word."""

from vreader.errors import near


def test_near():
    assert near("sloot", {"slot": "", "pin": ""}) == "did you mean slot?"
    assert near("x", ["slot"]) == ""
    assert near("pin", ["pnp", "hist", "atr"]) == ""
    assert near("pvi", ["gids", "piv", "tpmvsc"], 0.6) == "did you mean piv?"
