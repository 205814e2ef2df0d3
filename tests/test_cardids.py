# SPDX-License-Identifier: Apache-2.0
"""Ids of cards as Windows shows them."""

from uuid import UUID

import pytest

from vreader.cardids import GIDS_ID, PIV_ID, device_id
from vreader.iso7816 import Atr


@pytest.mark.parametrize(
    ("atr", "historical"),
    [
        # Cards whose ids were seen on Windows or stand in their vendors' packages.
        ("3B0451FF0800", "51ff0800"),
        ("3F69000000640181010C829000", "00640181010c829000"),
        ("3BFE1800008031FE454573744549442076657220312E30A8", "4573744549442076657220312e30"),
        ("3BDA18FF81B1FE751F030031C573C001400090000C", "0031c573c00140009000"),
        ("3B8D0180FBA000000397425446590401CF", "80fba000000397425446590401"),
    ],
)
def test_a_card_is_called_after_its_historical_bytes(atr, historical):
    found = Atr.parse(bytes.fromhex(atr)).historical
    assert device_id(found) == rf"SCFILTER\CID_{historical}"


def test_or_after_a_guid():
    assert device_id(UUID("{00010203-0405-0607-0809-0A0B0C0D0E0F}")) == (
        r"SCFILTER\CID_00010203-0405-0607-0809-0a0b0c0d0e0f"
    )


def test_cards_of_standards():
    assert device_id(UUID("2777BE07-6993-4513-BD80-C184FCB0AB2D")) == PIV_ID
    assert device_id(UUID("E2F748F9-DB8B-4C08-A258-583D8955D94A")) == GIDS_ID
