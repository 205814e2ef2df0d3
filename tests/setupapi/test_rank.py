# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise
from pathlib import Path

import pytest
from driver_packages import HARDWARE, PIV, package
from hypothesis import given
from hypothesis import strategies as st

from vreader.setupapi.inf import InfError
from vreader.setupapi.package import Signature, read_package
from vreader.setupapi.rank import LAST_RESORT, last_resort, search
from vreader.setupapi.target import TargetOS

AMD64 = TargetOS()
INBOX = package("inbox.inf", PIV, Signature.INBOX, "06/21/2006,10.0.0.0")
FABRIKAM = str(Path(__file__).parent / "fixtures" / "fabrikam.inf")


def ranked(*packages, **options):
    found = search(packages, [HARDWARE], [PIV], AMD64, **options)
    return [(each.package.name, f"{each.rank:08X}") for each in found]


def test_a_signed_vendor_s_driver_wins_by_the_hardware_id():
    vendor = package("vendor.inf", HARDWARE, Signature.AUTHENTICODE)
    assert ranked(INBOX, vendor) == [("vendor.inf", "00FF0000"), ("inbox.inf", "00FF2000")]


def test_an_unsigned_driver_loses_to_a_signed_one_with_a_worse_match():
    vendor = package("vendor.inf", HARDWARE, Signature.UNSIGNED)
    assert ranked(vendor, INBOX) == [("inbox.inf", "00FF2000"), ("vendor.inf", "80FF0000")]


@pytest.mark.parametrize(
    ("ver", "winner"),
    [
        ("06/22/2006,1.0.0.0", "thief.inf"),  # newer, whatever its version
        ("06/20/2006,99.0.0.0", "inbox.inf"),
        ("06/21/2006,10.0.0.1", "thief.inf"),
        ("06/21/2006,10.0.0.0", "inbox.inf"),  # equal in everything: the first stays
        ("06/21/2006,9.9.9.9", "inbox.inf"),
        ("garbage", "inbox.inf"),
    ],
)
def test_a_vendor_that_lists_the_guid_of_all_piv_cards_ties_and_driver_ver_decides(ver, winner):
    found = ranked(INBOX, package("thief.inf", PIV, ver=ver))
    assert {rank for _, rank in found} == {"00FF2000"}
    assert found[0][0] == winner


@pytest.mark.parametrize(
    ("section", "rank"), [("I.NT", "80FF0000"), ("I.ntAMD64", "80FF0000"), ("I", "C0FF0000")]
)
def test_an_unsigned_driver_without_an_nt_section_is_worse_still(section, rank):
    vendor = package("v.inf", HARDWARE, Signature.UNSIGNED, section=section)
    assert ranked(vendor) == [("v.inf", rank)]


@pytest.mark.parametrize(
    ("signature", "equal", "unequal"),
    [
        (Signature.INBOX, "00", "0D"), (Signature.WHQL, "00", "0D"),
        (Signature.AUTHENTICODE, "00", "0F"), (Signature.UNSIGNED, "80", "80"),
    ],
)  # fmt: skip
def test_signature_scores(signature, equal, unequal):
    vendor = package("v.inf", HARDWARE, signature)
    assert ranked(vendor) == [("v.inf", f"{equal}FF0000")]
    assert ranked(vendor, signers_equal=False) == [("v.inf", f"{unequal}FF0000")]


def test_where_signers_are_not_equal_microsoft_s_worse_match_beats_authenticode():
    vendor = package("vendor.inf", HARDWARE, Signature.AUTHENTICODE)
    assert ranked(vendor, INBOX, signers_equal=False)[0] == ("inbox.inf", "0DFF2000")


@pytest.mark.parametrize(
    ("ids", "score"),
    [
        (HARDWARE, "0000"), (f",{HARDWARE}", "1000"), (PIV, "2000"), (f",{PIV}", "3000"),
        (f",x,{PIV}", "3100"), (f"x,{HARDWARE.lower()}", "1000"), (f"x,y,{HARDWARE}", "1000"),
    ],
)  # fmt: skip
def test_identifier_scores(ids, score):
    assert ranked(package("v.inf", ids)) == [("v.inf", f"00FF{score}")]


@pytest.mark.parametrize(("text", "byte"), [("F0", "F0"), ("0x1", "01"), ("00", "00")])
def test_a_feature_score_outranks_the_match(text, byte):
    vendor = package("v.inf", PIV, more=f"FeatureScore={text}")
    better = package("b.inf", HARDWARE)
    assert ranked(better, vendor)[0] == ("v.inf", f"00{byte}2000")


@pytest.mark.parametrize("text", ["", "100", "x", "0x", "-1", "٣"])
def test_a_feature_score_that_is_no_byte(text):
    with pytest.raises(InfError, match=r"v\.inf, line 9: FeatureScore .* is no byte"):
        ranked(package("v.inf", HARDWARE, more=f"FeatureScore={text}"))


def test_a_package_counts_once_by_its_best_model():
    two = package("v.inf", f"{PIV}\ne=J,{HARDWARE}", more="[J]")
    assert ranked(two) == [("v.inf", "00FF0000")]


def test_of_equal_models_the_first_is_taken():
    two = package("v.inf", f"{HARDWARE}\ne=J,{HARDWARE}", more="[J.NT]")
    (found,) = search([two], [HARDWARE], [], AMD64)
    assert (found.model.description, found.section) == ("d", "I.NT")


def test_what_cannot_be_installed_is_no_candidate():
    assert ranked(package("v.inf", HARDWARE, section="Other")) == []
    assert ranked(package("v.inf", r"SCFILTER\CID_00")) == []
    assert search([INBOX], [], [PIV], TargetOS("arm64")) == []


@pytest.mark.parametrize(
    ("os", "section"),
    [
        ("10.0-amd64", "FabrikamVendor64_61_Install.NT"),
        ("6.1-amd64", "FabrikamVendor64_61_Install.NT"),
        ("6.0-amd64", "FabrikamVendor64_Install.NT"),
        ("6.1-x86", "FabrikamVendor32_61_Install.NT"),
        ("10.0-arm64", None),
    ],
)
def test_the_fabrikam_card(os, section):
    found = search([read_package(FABRIKAM)], [r"scfilter\cid_51ff0800"], [], TargetOS.parse(os))
    assert [each.section for each in found] == ([section] if section else [])
    if found:
        told = found[0].record()
        assert (told["rank"], told["matching_id"]) == ("00FF0000", r"SCFILTER\CID_51FF0800")


def test_the_last_resort_needs_no_id():
    null = package("null.inf", "")
    found = last_resort(null, AMD64)
    assert (found.section, found.matching_id, found.rank) == ("I.NT", "", LAST_RESORT)
    assert last_resort(null, TargetOS("arm")) is None


@given(st.lists(st.tuples(st.sampled_from([HARDWARE, PIV, "x"]), st.sampled_from(list(Signature)),
                          st.integers(2000, 2003), st.integers(0, 3)), max_size=8))  # fmt: skip
def test_the_order_is_that_of_rank_date_and_version(drawn):
    packages = [
        package(f"{n}.inf", ids, signature, f"01/01/{year},{version}")
        for n, (ids, signature, year, version) in enumerate(drawn)
    ]
    found = search(packages, [HARDWARE], [PIV], AMD64)
    for one, other in pairwise(found):
        if one.rank == other.rank:
            assert (one.date, one.version) >= (other.date, other.version)
        assert one.rank <= other.rank
    assert len(found) == sum(ids != "x" for ids, *_ in drawn)


def test_a_section_may_have_a_date_of_its_own():
    newer = package("newer.inf", HARDWARE)
    own = package("own.inf", HARDWARE, more="DriverVer = 01/01/2031,9.8.7.6")  # ends [I.NT]
    best = search([newer, own], [HARDWARE], [], AMD64)[0]
    told = (best.package.name, f"{best.date}", best.version, best.record()["version"])
    assert told == ("own.inf", "2031-01-01", (9, 8, 7, 6), "9.8.7.6")
