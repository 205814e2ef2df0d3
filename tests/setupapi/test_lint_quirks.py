# SPDX-License-Identifier: Apache-2.0
"""What real packages do: each fixture is named after a quirk, and says so in its comment.

What reading, the lint and an install make of each is a row of the table.
"""

from pathlib import Path

import pytest

from vreader.cardids import device_id
from vreader.iso7816.atr import Atr
from vreader.registry import Registry
from vreader.setupapi.calais import MODULE, SMART_CARDS, SMART_CARDS_WOW64
from vreader.setupapi.defaultinstall import install_default
from vreader.setupapi.inf import read_inf
from vreader.setupapi.install import install_device
from vreader.setupapi.lint import lint
from vreader.setupapi.pattern import AtrPattern
from vreader.setupapi.target import TargetOS, models_for

FIXTURES = Path(__file__).with_name("fixtures")
FABRIKAM = "3B0451FF0800"
EST_3_0 = "3BFE1800008031FE454573744549442076657220312E30A8"
EST_3_5 = "3BFA1800008031FE45FE654944202F20504B4903"
ONE = {"Fabrikam": "fabrikamcm.dll"}
EST = dict.fromkeys(
    [f"Fabrikam{name}" for name in ("_11_cold", "_11_warm", "_30_cold", "_30_warm", "_35")],
    "fabrikamcm.dll",
)

# name: what the lint finds beside 303 and 326; ATR of a card; cards that are registered for it.
QUIRKS = {
    "ansi-accents": (set(), FABRIKAM, ONE),
    "belgium-masks-with-zero-bytes": (set(), "3B989540FFA503010101AD1311", ONE),
    "belgium-two-modules": (set(), FABRIKAM, {"Fabrikam": "fabrikamcm64.dll"}),
    "belgium-version-of-three-parts": ({116}, FABRIKAM, ONE),
    "belgium-wow64-prompts-in-the-native-key": ({325}, FABRIKAM, ONE),
    "esteid-filter-service": (set(), FABRIKAM, ONE),
    "esteid-five-cards-two-ids": ({343}, EST_3_0, EST),
    "esteid-models-lead-to-defaultinstall": ({306}, FABRIKAM, ONE),
    "esteid-token-in-another-case": (set(), FABRIKAM, ONE),
    "esteid-utf8-cyrillic": (set(), FABRIKAM, ONE),
    "fabrikam": ({304}, FABRIKAM, {"Fabrikam": "Fabrikamcm.dll"}),
    "fabrikam-inbox-module": ({304}, FABRIKAM, {"Fabrikam": "msclmd.dll"}),
    "fabrikam-without-pnplockdown": ({115}, FABRIKAM, ONE),
    "null-driver": ({304}, FABRIKAM, {}),
    "openpgp-catalog-per-architecture": (
        set(),
        "3BDA18FF81B1FE751F030031F573C001600090001C",
        {"Fabrikam_2": "fabrikamcm.dll", "Fabrikam_3": "fabrikamcm.dll"},
    ),
    "openpgp-no-undecorated-defaultinstall": (set(), FABRIKAM, ONE),
    "opensc-commented-copyfiles": ({330}, FABRIKAM, ONE),
    "opensc-template-variables": ({104}, FABRIKAM, ONE),
    "opensc-undefined-token": (
        {105, 330},
        FABRIKAM,
        ONE,
    ),
    "opensc-version-with-commas": ({104}, FABRIKAM, ONE),
    "portugal-ids-in-mixed-case": (
        set(),
        "3BFF9600008131FE4380318065B085040120120FFF829000D0",
        ONE,
    ),
    "portugal-mask-fc": (set(), "3B959540FFD000540132", ONE),
    "portugal-misspelt-sections": ({306, 335}, FABRIKAM, ONE),
    "portugal-one-card-of-two-lengths": (
        {312},
        "3B7D95000080318065B0831111AC83009000",
        {"Fabrikam_16": "fabrikamcm.dll", "Fabrikam_18": "fabrikamcm.dll"},
    ),
    "portugal-utf8-accents": (set(), FABRIKAM, ONE),
}
ONE_VIEW = {"null-driver"}  # writes nothing at all
READERS = {"bixvreader-utf16"}


def read(name):
    return read_inf((FIXTURES / f"{name}.inf").read_bytes(), f"{name}.inf")


def cards(registry, path):
    key = registry.find(rf"HKLM\{path}")
    return {} if key is None else {each.name: each for each in key.subkeys()}


def values(found):
    return {name: dict(key.values()) for name, key in found.items()}


def test_every_fixture_is_in_the_table():
    assert {path.stem for path in FIXTURES.glob("*.inf")} == set(QUIRKS) | READERS


@pytest.mark.parametrize("name", sorted(QUIRKS | dict.fromkeys(READERS)))
def test_every_fixture_says_what_its_quirk_is(name):
    text = (FIXTURES / f"{name}.inf").read_bytes()
    encoding = "utf-16" if text.startswith(b"\xff\xfe") else "latin-1"
    first, second, third, *_ = text.decode(encoding).splitlines()
    assert first == "; SPDX-License-Identifier: Apache-2.0"
    assert second.startswith("; ")
    assert not third.strip()


@pytest.mark.parametrize("name", QUIRKS)
def test_what_the_lint_finds(name):
    found = {finding.rule.number for finding in lint(read(name))}
    unavoidable = {303} if name in ONE_VIEW else {303, 326}
    assert found == QUIRKS[name][0] | unavoidable


@pytest.mark.parametrize("arch", ["amd64", "x86"])
@pytest.mark.parametrize("name", QUIRKS)
def test_what_an_install_registers(name, arch):
    _, atr, expected = QUIRKS[name]
    card = Atr.parse(bytes.fromhex(atr))
    registry, target = Registry(), TargetOS.parse(f"10.0-{arch}")
    install_device(
        read(name), registry, [device_id(card.historical)], instance=r"SCFILTER\X\0",
        target=target,
    )  # fmt: skip
    native, wow64 = cards(registry, SMART_CARDS), cards(registry, SMART_CARDS_WOW64)
    without_card = Registry()
    install_default(read(name), without_card, target)
    for path, found in ((SMART_CARDS, native), (SMART_CARDS_WOW64, wow64)):
        assert values(cards(without_card, path)) == values(found)
    if (name, arch) == ("belgium-two-modules", "x86"):
        expected = {"Fabrikam": "fabrikamcm32.dll"}
    assert {each: key.find_value(MODULE).decoded for each, key in native.items()} == expected
    assert wow64.keys() == (expected.keys() if arch == "amd64" else set())
    taken = [
        each for each, key in native.items()
        if AtrPattern(*(key.find_value(v).data for v in ("ATR", "ATRMask"))).takes(card.raw)
    ]  # fmt: skip
    assert len(taken) == bool(expected)


def test_the_encodings():
    names = {name: models_for(read(name), TargetOS())[0].description for name in QUIRKS}
    assert names["ansi-accents"] == "Carte à puce n° 1"
    assert names["esteid-utf8-cyrillic"] == "Смарт-карта"
    assert names["portugal-utf8-accents"] == "Cartão de Cidadão"
    russian = read_inf((FIXTURES / "esteid-utf8-cyrillic.inf").read_bytes(), language=0x0419)
    assert models_for(russian, TargetOS())[0].description == "Смарт-карта Фабрикам"


def test_a_readers_inf_in_utf16():
    inf = read("bixvreader-utf16")
    assert inf.value("Version", "Provider") == "Fabrikam™"
    assert lint(inf) == []
    done = install_device(
        inf, Registry(), [r"ROOT\FabrikamVirtualReader"], instance=r"ROOT\READER\0000"
    )
    assert done.exclusive


def test_the_filter_comes_and_goes():
    registry = Registry()
    for _ in range(2):
        done = install_device(
            read("esteid-filter-service"), registry, ["SCFILTER\\CID_51ff0800"],
            instance=r"SCFILTER\X\0",
        )  # fmt: skip
    filters = registry.find(done.hardware_key).find_value("UpperFilters")
    assert filters.decoded == ["atrfiltr"]
    assert done.service == ""  # it is no function driver


def test_prompts_that_went_to_the_wrong_key():
    registry = Registry()
    install_device(
        read("belgium-wow64-prompts-in-the-native-key"), registry, ["SCFILTER\\CID_51ff0800"],
        instance=r"SCFILTER\X\0",
    )  # fmt: skip
    native, wow64 = (cards(registry, path)["Fabrikam"] for path in (SMART_CARDS, SMART_CARDS_WOW64))
    assert native.find_value("80000103").decoded == "en-US,Enter your PUK"
    assert wow64.find_value("80000103") is None


def test_a_module_in_the_driver_store():
    """``%13%`` is the package's own directory: what is written is a path."""
    text = (FIXTURES / "fabrikam.inf").read_text()
    text = text.replace("%SmartCardCardModule%", r'"%13%\Fabrikamcm.dll"')
    registry = Registry()
    install_default(read_inf(text.encode(), "fabrikam.inf"), registry)
    module = cards(registry, SMART_CARDS)["Fabrikam"].find_value(MODULE).decoded
    assert module.startswith(r"C:\Windows\System32\DriverStore\FileRepository\fabrikam.inf_amd64")
    assert module.endswith(r"\Fabrikamcm.dll")
