# SPDX-License-Identifier: Apache-2.0
"""The functions that Windows alone has; a pyscard built elsewhere cannot call all of them."""

import pytest
import smartcard.scard.scard as seam
from smartcard import guid
from smartcard import scard as s

ATR = [0x3B, 0x80, 0x80, 0x01, 0x01]
MINE = guid.strToGUID("{AD4F1667-EA75-4124-84D4-641B3B197C65}")
OTHER = guid.strToGUID("{382AE95A-7C2C-449C-A179-56C6DE6FF3BC}")


@pytest.fixture
def context(make_world) -> int:
    with make_world(profile="windows").pyscard():
        yield s.SCardEstablishContext(s.SCARD_SCOPE_USER)[1]


def call(name: str, *args):
    return getattr(seam._scard, name)(*args)


def test_names_and_groups(context):
    name = s.SCardListReaders(context, [])[1][0]
    assert call("SCardIntroduceReader", context, "Mine", name) == 0
    assert call("SCardIntroduceReaderGroup", context, "Desk") == 0
    assert call("SCardAddReaderToGroup", context, "Mine", "Desk") == 0
    assert "Desk" in s.SCardListReaderGroups(context)[1]
    assert s.SCardListReaders(context, ["Desk"]) == [0, ["Mine"]]
    assert call("SCardRemoveReaderFromGroup", context, "Mine", "Desk") == 0
    assert call("SCardForgetReader", context, "Mine") == 0
    assert call("SCardForgetReaderGroup", context, "Desk") == 0


def test_card_types(context):
    mask = [0xFF] * len(ATR)
    assert call("SCardIntroduceCardType", context, "Mine", MINE, MINE + OTHER, ATR, mask) == 0
    assert call("SCardListInterfaces", context, "Mine") == [0, [MINE, OTHER]]
    assert "Mine" in call("SCardListCards", context, [], [])[1]
    assert call("SCardListCards", context, ATR, OTHER) == [0, ["Mine"]]
    provider = call("SCardGetCardTypeProviderName", context, "Mine", 1)
    assert provider == [0, guid.GUIDToStr(MINE)]
    name = s.SCardListReaders(context, [])[1][0]
    code, [(reader, state, atr)] = call("SCardLocateCards", context, ["Mine"], [(name, 0)])
    assert (code, reader) == (0, name)
    assert not state & s.SCARD_STATE_ATRMATCH
    assert atr
    assert call("SCardForgetCardType", context, "Mine") == 0
    assert call("SCardListInterfaces", context, "Mine") == [s.SCARD_E_UNKNOWN_CARD, []]


def test_wrong_guids(context):
    with pytest.raises(TypeError, match="GUID"):
        call("SCardListCards", context, ATR, OTHER[:-1])
