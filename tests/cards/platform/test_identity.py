# SPDX-License-Identifier: Apache-2.0
"""The options of every card: ATR, historical bytes, Plug and Play; on each of our kinds."""

import pytest
from toy_card import send

from cards.platform.kind import AppletKind
from vreader.card import FileStore, MemoryStore
from vreader.errors import UsageError
from vreader.iso7816 import Atr
from vreader.kinds import OWN_KINDS, find_kind

GUID = "00112233-4455-6677-8899-aabbccddeeff"
LITTLE, BIG = "33221100554477668899AABBCCDDEEFF", "00112233445566778899AABBCCDDEEFF"
PNP_AID = "A0000003974349445F0100"
KINDS = [name for name in OWN_KINDS if isinstance(find_kind(name), AppletKind)]


def make(kind="blank", profile="", **options):
    options = {name.replace("_", "-"): value for name, value in options.items()}
    card = find_kind(kind).create(profile, options, MemoryStore(), b"seed")
    card.power_on()
    return card


def profiles():
    return [(name, profile) for name in KINDS for profile in find_kind(name).profiles()]


# ---------------------------------------------------------------------- ATR


@pytest.mark.parametrize(("kind", "profile"), profiles())
@pytest.mark.parametrize("length", [0, 1, 4, 15])
def test_historical_bytes(kind, profile, length):
    before = Atr.parse(make(kind, profile).atr)
    wanted = bytes(range(0x51, 0x51 + length))
    atr = Atr.parse(make(kind, profile, hist=wanted.hex()).power_on())
    assert atr.historical == wanted
    assert atr.interface_bytes == before.interface_bytes
    assert atr.protocols == before.protocols
    assert (atr.tck is None) == (before.tck is None)


def test_atr_is_handed_out_as_it_is():
    assert make(atr="3B").power_on() == b"\x3b"


def test_it_stays(tmp_path):
    store = FileStore(str(tmp_path / "a.card"))
    kind = find_kind("blank")
    kind.create("t0", {"hist": "51FF0800", "pnp": GUID}, store, None).close()
    card = kind.open(store)
    assert card.power_on().hex().upper() == "3B0451FF0800"
    assert send(card, f"00A404000B{PNP_AID}") == "9000"
    assert send(card, "00CA7F6800")[-4:] == "9000"
    card.close()


# ---------------------------------------------------------------------- Plug and Play


def told(card):
    assert send(card, f"00A404000B{PNP_AID}00") == "9000"
    answer = send(card, "00CA7F6800")
    assert answer[-4:] == "9000"
    return answer[:-4]


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({}, "7F681C301A16044D53465430120410" + LITTLE),
        ({"pnp_wrap": "no"}, "301A16044D53465430120410" + LITTLE),
        ({"pnp_order": "big"}, "7F681C301A16044D53465430120410" + BIG),
        ({"pnp_version": "0"}, "7F681F301D02010016044D53465430120410" + LITTLE),
        ({"pnp_version": "1", "pnp_wrap": "no"}, "301D02010116044D53465430120410" + LITTLE),
        ({"pnp_vendor": "ACME"}, "7F681C301A160441434D4530120410" + LITTLE),
        ({"pnp_vendor": "", "pnp_wrap": "no"}, "3016160030120410" + LITTLE),
    ],
)
def test_variants(options, answer):
    assert told(make(pnp=GUID, **options)) == answer


def test_several_guids():
    second = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    answer = told(make(pnp=f"{GUID}+{{{second}}}", pnp_wrap="no"))
    assert answer == "302C16044D53465430240410" + LITTLE + "0410" + "FF" * 16


def test_any_bytes():
    assert told(make(pnp_data="30FF")) == "30FF"
    assert told(make(pnp_data="")) == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "where", ["applet", "card", "ef.atr", "applet+card", "applet+ef.atr", "card+applet+ef.atr"]
)
def test_where(kind, where):
    card = make(kind, pnp=GUID, pnp_where=where)
    places = where.split("+")
    selected = send(card, f"00A404000B{PNP_AID}00")
    assert (selected == "9000") == ("applet" in places)
    assert (send(card, "00CA7F6800")[-4:] == "9000") == ("applet" in places or "card" in places)
    card.reset()
    assert (send(card, "00CA7F6800")[-4:] == "9000") == ("card" in places)
    if "ef.atr" in places:
        assert send(card, "00A4000C023F00") == "9000"
        assert send(card, "00A4000C022F01") == "9000"
        assert send(card, "00B0000000")[:6] == "7F681C"


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_option_there_is_none(kind):
    card = make(kind)
    assert send(card, f"00A404000B{PNP_AID}00") == "6A82"
    assert send(card, "00CA7F6800")[-4:] in ("6A81", "6A82", "6A88", "6D00", "6E00")


def test_a_piv_card_with_it_is_still_one():
    card = make("piv", pnp=GUID, pnp_where="card")
    assert send(card, "00A4040005A00000030800")[-4:] == "9000"
    assert send(card, "00CA7F6800")[-4:] == "9000"
    assert send(card, "0020008008313233343536FFFF") == "9000"
    assert send(card, "00CA7F6900") == "6D00"
    assert send(card, "00CA7F6800")[-4:] == "9000"
    assert send(card, "00200080") == "9000"


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hist": "00" * 16}, "0 to 15"),
        ({"hist": "0"}, "hex"),
        ({"hist": "xx"}, "hex"),
        ({"atr": ""}, "1 to 33"),
        ({"atr": "00" * 34}, "1 to 33"),
        ({"atr": "3B00", "hist": "00"}, "both"),
        ({"pnp": ""}, "GUID"),
        ({"pnp": GUID + "+"}, "GUID"),
        ({"pnp": GUID, "pnp-data": "00"}, "either"),
        ({"pnp-wrap": "no"}, "either"),
        ({"pnp": GUID, "pnp-where": "moon"}, "moon"),
        ({"pnp": GUID, "pnp-where": ""}, "no place"),
        ({"pnp": GUID, "pnp-wrap": "maybe"}, "maybe"),
        ({"pnp": GUID, "pnp-order": "x"}, "x"),
        ({"pnp": GUID, "pnp-version": "128"}, "127"),
        ({"pnp": GUID, "pnp-version": "\u0663"}, "127"),
        ({"pnp": GUID, "pnp-version": ""}, "127"),
        ({"pnp": GUID, "pnp-version": "9" * 5000}, "127"),
        ({"pnp": GUID, "pnp-vendor": "\xe4"}, "ASCII"),
        ({"pnp": GUID, "pnp-vendor": "x" * 65}, "64"),
        ({"pnp-data": "00" * 4097}, "4096"),
        ({"pnp-data": "00", "pnp-vendor": "x"}, "pnp-vendor"),
    ],
)
def test_options_it_does_not_take(options, said):
    with pytest.raises(UsageError) as caught:
        find_kind("blank").create("", options, MemoryStore(), None)
    assert said in str(caught.value)
    assert caught.value.hint
