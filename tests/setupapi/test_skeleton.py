# SPDX-License-Identifier: Apache-2.0
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.iso7816.atr import Atr, AtrError
from vreader.registry import Registry
from vreader.setupapi.calais import CSP, KSP, MODULE, SMART_CARDS, SMART_CARDS_WOW64
from vreader.setupapi.defaultinstall import install_default
from vreader.setupapi.inf import parse_inf, read_inf
from vreader.setupapi.install import install_device
from vreader.setupapi.lint import lint
from vreader.setupapi.package import driver_version
from vreader.setupapi.pattern import AtrPattern
from vreader.setupapi.skeleton import SKELETON_ARCHITECTURES, file_bytes, skeleton
from vreader.setupapi.target import TargetOS, models_for

GOLDEN = Path(__file__).with_name("skeleton.inf")
ATR = bytes.fromhex("3B0451FF0800")
GUID = "01234567-89AB-CDEF-0123-456789ABCDEF"


def make(atr=ATR, **options):
    return skeleton(atr, **{"name": "Card", "vendor": "Fabrikam", "module": "c.dll"} | options)


def found(text):
    return {finding.rule.number for finding in lint(parse_inf(text))}


def installed(text, arch="amd64", ident="SCFILTER\\CID_51FF0800"):
    registry = Registry()
    target = TargetOS.parse(f"10.0-{arch}")
    done = install_device(
        parse_inf(text), registry, [ident], instance=r"SCFILTER\CARD\0", target=target
    )
    without_card = Registry()
    assert install_default(parse_inf(text), without_card, target).files == done.files
    native, wow64 = (registered(registry, path) for path in (SMART_CARDS, SMART_CARDS_WOW64))
    assert native == registered(without_card, SMART_CARDS)
    assert wow64 == registered(without_card, SMART_CARDS_WOW64)
    return native, wow64, done.files


def registered(registry, path):
    key = registry.find(rf"HKLM\{path}\Card")
    return None if key is None else {name: value.decoded for name, value in key.values()}


@st.composite
def cards(draw):
    """An ATR with historical bytes, and a mask for it."""
    inverse = draw(st.booleans())
    try:
        atr = Atr.build(
            protocols=draw(st.sampled_from([(0,), (1,), (0, 1), (0, 15)])),
            historical=draw(st.binary(min_size=1, max_size=15)),
            ta1=draw(st.sampled_from([None, 0x11, 0x95])),
            tb1=draw(st.none() | st.integers(0, 255)),
            tc1=draw(st.none() | st.integers(0, 255)),
            inverse=inverse,
        ).raw
    except AtrError:  # pragma: no cover - none of these
        atr = ATR
    size = len(atr)
    return atr, draw(st.none() | st.binary(min_size=size, max_size=size))


@given(cards(), st.sets(st.sampled_from(SKELETON_ARCHITECTURES), min_size=1), st.booleans())
def test_any_card_gets_a_package_that_takes_it(card, architectures, named):
    atr, mask = card
    text = make(
        atr, mask=mask, architectures=sorted(architectures),
        module_wow64="c32.dll" if named else None,
    )  # fmt: skip
    assert text == make(
        atr, mask=mask, architectures=sorted(architectures, reverse=True),
        module_wow64="c32.dll" if named else None,
    )  # fmt: skip
    wide = architectures != {"x86"}
    assert found(text) - {342} == {303, 326 if wide else 334}
    ident = f"SCFILTER\\CID_{Atr.parse(atr).historical.hex()}"
    inf = parse_inf(text)
    for arch in architectures:
        (model,) = models_for(inf, TargetOS.parse(f"10.0-{arch}"))
        assert model.ids == [ident]
        native, wow64, _ = installed(text, arch, ident)
        assert AtrPattern(native["ATR"], native["ATRMask"]).takes(atr)
        assert (wow64 is not None) is (arch != "x86")
        assert wow64 is None or (wow64["ATR"], wow64["ATRMask"]) == (
            native["ATR"], native["ATRMask"],
        )  # fmt: skip


def test_the_same_card_is_the_same_file():
    """Byte for byte: the file beside this test is what ``vreader inf new`` once wrote."""
    text = make(
        bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940"), name="Fabrikam card",
        architectures=SKELETON_ARCHITECTURES, mask=b"\xff" * 22 + b"\0",
    )  # fmt: skip
    assert text == GOLDEN.read_text()


def test_it_is_installed_from_windows_7_on():
    inf = parse_inf(make(architectures=SKELETON_ARCHITECTURES))
    for target, there in (("6.0-amd64", False), ("6.1-amd64", True), ("6.1-x86", True),
                          ("10.0-arm64", True), ("10.0-ia64", False)):  # fmt: skip
        assert bool(models_for(inf, TargetOS.parse(target))) is there


@pytest.mark.parametrize(
    ("options", "arch", "modules", "files"),
    [
        ({}, "amd64", ("c.dll", "c.dll"), {r"system32\c.dll", r"syswow64\c.dll"}),
        ({}, "x86", ("c.dll", None), {r"system32\c.dll"}),
        ({"module_wow64": "c32.dll"}, "amd64", ("c.dll", "c32.dll"),
         {r"system32\c.dll", r"syswow64\c32.dll"}),
        ({"module_wow64": "c32.dll"}, "x86", ("c32.dll", None), {r"system32\c32.dll"}),
    ],
)  # fmt: skip
def test_modules(options, arch, modules, files):
    native, wow64, copied = installed(make(**options), arch)
    assert (native[MODULE], wow64 and wow64[MODULE]) == modules
    assert {path.removeprefix("C:\\Windows\\") for path in copied} == files


def test_the_files_of_the_package_have_names_of_their_own():
    def listed(**options):
        inf = parse_inf(make(**options))
        return [entry.key for entry in inf.find("SourceDisksFiles").entries]

    assert listed() == ["c.dll", "c_amd64.dll"]
    assert listed(module_wow64="c32.dll") == ["c32.dll", "c.dll"]
    assert listed(architectures=["x86"]) == ["c.dll"]
    assert listed(architectures=SKELETON_ARCHITECTURES, module_wow64="c32.dll") == [
        "c32.dll", "c_amd64.dll", "c_arm64.dll",
    ]  # fmt: skip

    assert listed(architectures=["amd64", "arm64"], module_wow64="c_arm64.dll") == [
        "c_amd64.dll", "_c_arm64.dll", "c_arm64.dll",
    ]  # fmt: skip


def test_the_module_of_windows_is_not_copied():
    text = make(module="msclmd.dll")
    assert found(text) == {303, 326}
    native, wow64, files = installed(text)
    assert (native[MODULE], wow64[MODULE], files) == ("msclmd.dll", "msclmd.dll", [])


@pytest.mark.parametrize(
    ("csp", "ksp", "rules"), [(True, True, set()), (True, False, {318}), (False, True, {318})]
)
def test_providers(csp, ksp, rules):
    text = make(csp=csp, ksp=ksp)
    native, wow64, _ = installed(text)
    assert (CSP in native, KSP in wow64) == (csp, ksp)
    assert found(text) == {303, 326} | rules


@pytest.mark.parametrize("guid", [GUID, GUID.lower(), f"{{{GUID}}}"])
def test_a_guid_is_the_id(guid):
    text = make(guid=guid)
    assert found(text) == {303, 326}
    assert installed(text, ident=f"SCFILTER\\CID_{GUID}")[0] is not None
    assert found(make(bytes.fromhex("3B00"), guid=guid)) == {303, 326}


def test_a_version_may_be_that_of_a_windows():
    text = make(driver_ver="02/29/2028,10.0.19041.65534")
    assert found(text) == {303, 326}
    assert driver_version(parse_inf(text)) == (date(2028, 2, 29), (10, 0, 19041, 65534))


def test_other_alphabets_are_kept():
    text = make(name="Смарт-карта", vendor="Société")
    data = file_bytes(text)
    assert data.startswith(b"\xff\xfe")
    assert b"\r\0\n\0" in data
    (model,) = models_for(read_inf(data), TargetOS())
    assert (model.description, model.manufacturer) == ("Смарт-карта", "Société")
    assert file_bytes(make()).isascii()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"name": ""}, "'' cannot be the name"),
        ({"name": 'a"b'}, "cannot be the name"),
        ({"name": "a\\b"}, "cannot be the name"),
        ({"vendor": "100%"}, "'100%' cannot be the vendor"),
        ({"vendor": "a\nb"}, "cannot be the vendor"),
        ({"vendor": 201 * "a"}, "cannot be the vendor"),
        ({"module": "c"}, "'c' is no card module"),
        ({"module": r"C:\c.dll"}, "is no card module"),
        ({"module_wow64": "a,b.dll"}, "'a,b.dll' is no card module"),
        ({"module": "msclmd.dll", "module_wow64": "c.dll"}, "is the module of Windows"),
        ({"module": "c.dll", "module_wow64": "MSCLMD.dll"}, "is the module of Windows"),
        ({"module": "my module.dll"}, "'my module.dll' is no card module"),
        ({"mask": b"\xff"}, "the mask has 1 bytes, the ATR 6"),
        ({"csp": False, "ksp": False}, "neither the CSP nor the KSP"),
        ({"guid": "1234"}, "'1234' is no GUID"),
        ({"guid": "2777BE07-6993-4513-BD80-C184FCB0AB2D"}, "is the id of all PIV or GIDS cards"),
        ({"architectures": ["ia64"]}, "'ia64' is no architecture"),
        ({"architectures": []}, "a package is for an architecture"),
        ({"driver_ver": "2026-01-01,1.0"}, "is no DriverVer"),
        ({"driver_ver": "01/01/2026,1.0.0.70000"}, "is no DriverVer"),
        ({"driver_ver": "02/29/2026,1.0.0.0"}, "is no DriverVer"),
        ({"driver_ver": "01/01/2026,0.0.0.0"}, "is no DriverVer"),
        ({"driver_ver": "1/1/2026,1.0.0.0"}, "is no DriverVer"),
        ({"driver_ver": "01/01/2026,1.0.0"}, "is no DriverVer"),
        ({"atr": b"\x3b\x04"}, "3B04 is not a valid ATR: 4 historical bytes"),
        ({"atr": b"\x3b\x00"}, "the ATR has no historical bytes"),
    ],
    ids=str,
)
def test_what_cannot_be_a_package(options, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        make(**options)
    assert caught.value.hint
