# SPDX-License-Identifier: Apache-2.0
"""Pairing experiments as programs see them: ATR, data object 7F68, and refusals of one's choice."""

import re

import pytest

pytestmark = pytest.mark.clients

GUID = "00112233-4455-6677-8899-aabbccddeeff"
SELECT_PNP = "00:A4:04:00:0B:A0:00:00:03:97:43:49:44:5F:01:00"
GET_CARD_ID = "00:CA:7F:68:00"


def test_opensc_tool(need, world):
    opensc_tool = need("opensc-tool", "opensc")
    served = world(f"blank,hist=51FF0800,pnp={GUID},pnp-where=card,select-sw=6999")
    assert served.run(opensc_tool, "-a").stdout == "3b:84:80:01:51:ff:08:00:a3\n"
    sent = served.run(opensc_tool, "-c", "default", "-s", SELECT_PNP, "-s", GET_CARD_ID).stdout
    assert re.findall(r"SW1=0x(..), SW2=0x(..)", sent) == [("69", "99"), ("90", "00")]
    assert "22 11 00 55 44 77 66 88 99 AA BB CC DD EE FF" in sent
