# SPDX-License-Identifier: Apache-2.0
"""What the place needs of a pyscard; what it does is in test_stand_in.py."""

import pytest
import smartcard.scard.scard as place

from vreader.bridge.pyscard import seam
from vreader.errors import UsageError


def test_there_is_one_place():
    assert seam.the_seam() is seam.the_seam()
    assert seam.the_seam().scard is place


def test_a_pyscard_whose_functions_do_not_look_is_refused(monkeypatch):
    monkeypatch.setattr(seam, "_seam", None)
    monkeypatch.setattr(place, "SCardConnect", len)
    with pytest.raises(UsageError, match="directly"):
        seam.the_seam()


def test_every_function_of_pyscards_own_has_ours_in_its_place(seen):
    ours = place._scard
    assert {name for name in dir(ours) if name.startswith("SC")} >= {
        name for name in vars(place) if name.startswith("SC")
    }
    assert ours.SCardTransmit is not seam.the_seam()._native.SCardTransmit
    assert ours.SCARD_CTL_CODE is seam.the_seam()._native.SCARD_CTL_CODE
