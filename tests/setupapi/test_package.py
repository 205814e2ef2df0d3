# SPDX-License-Identifier: Apache-2.0
import datetime
from pathlib import Path

import pytest

from vreader.errors import UsageError
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.package import (
    UNDATED,
    Signature,
    catalog_for,
    driver_version,
    make_package,
    read_package,
    split_signature,
)
from vreader.setupapi.target import TargetOS

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("text", "date", "version"),
    [
        ("10/03/2008,7.0.0.4", (2008, 10, 3), (7, 0, 0, 4)),
        ("6-1-2020 , 65535.0.1.2", (2020, 6, 1), (65535, 0, 1, 2)),
        ("10/03/2020,4.2.7", (2020, 10, 3), (4, 2, 7, 0)),
        ("10/03/2020", (2020, 10, 3), (0, 0, 0, 0)),
        ("10/03/2020,0,27,0,0", (2020, 10, 3), (0, 0, 0, 0)),  # the version is 0 alone
        ("10/03/2020,1.2.3.4.5", (2020, 10, 3), (0, 0, 0, 0)),
        ("10/03/2020,1.65536", (2020, 10, 3), (0, 0, 0, 0)),
        ("13/45/2020,1.2.3.4", None, (1, 2, 3, 4)),
        ("01/01/0001,1.2.3.4", None, (1, 2, 3, 4)),
        ("%DATE%,1.2.3.4", None, (1, 2, 3, 4)),
        ("", None, (0, 0, 0, 0)),
        ("1/1/9999999999999999999,1", None, (1, 0, 0, 0)),
    ],
)
def test_date_and_version_are_read_as_far_as_they_can_be(text, date, version):
    inf = parse_inf(f"[Version]\nDriverVer={text}\n")
    assert driver_version(inf) == (datetime.date(*date) if date else UNDATED, version)


@pytest.mark.parametrize("text", ["", "[Version]\n"])
def test_a_package_need_not_say_how_old_it_is(text):
    assert driver_version(parse_inf(text)) == (UNDATED, (0, 0, 0, 0))


@pytest.mark.parametrize(
    ("lines", "os", "catalog"),
    [
        ("CatalogFile=a.cat", "10.0-arm64", "a.cat"),
        ("CatalogFile.NTamd64=a.cat\ncatalogfile.ntX86=b.cat", "6.1-x86", "b.cat"),
        ("CatalogFile.NTamd64=a.cat", "10.0-arm64", ""),
        ("CatalogFile.NT=a.cat", "10.0-arm64", "a.cat"),
        ("CatalogFile=a.cat\nCatalogFile.NTx86=b.cat", "10.0-x86", "b.cat"),
        ("CatalogFile=", "10.0-x86", ""),
        ("CatalogFile.9x=a.cat", "10.0-x86", ""),
        ("CatalogFiles=a.cat", "10.0-x86", ""),
    ],
)
def test_a_catalog_is_for_the_windows_that_its_entry_names(lines, os, catalog):
    assert catalog_for(parse_inf(f"[Version]\n{lines}\n"), TargetOS.parse(os)) == catalog


def test_signed_is_what_has_a_catalog_for_the_windows_at_hand():
    package = make_package(b"[Version]\nCatalogFile.NTamd64=a.cat\n", "a.inf")
    assert package.on(TargetOS("amd64")).signature is Signature.AUTHENTICODE
    assert package.on(TargetOS("x86")).signature is Signature.UNSIGNED
    assert make_package(b"[Version]\n", "a.inf").signature is Signature.UNSIGNED


def test_what_is_said_of_the_signature_wins():
    stated = make_package(b"[Version]\n", "a.inf", Signature.WHQL)
    assert stated.on(TargetOS("x86")).signature is Signature.WHQL
    signed = read_package(f"{FIXTURES / 'fabrikam.inf'},unsigned")
    assert signed.on(TargetOS()).signature is Signature.UNSIGNED
    assert (signed.name, signed.provider, signed.version_text) == (
        "fabrikam.inf", "FabrikamVendor", "7.0.0.4",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.inf", ("a.inf", None)),
        ("a.inf,WHQL", ("a.inf", Signature.WHQL)),
        ("a,b.inf", ("a,b.inf", None)),
        ("a,b.INF,inbox", ("a,b.INF", Signature.INBOX)),
        ("a,whql", ("a,whql", None)),
    ],
)
def test_who_signed_it_stands_behind_a_comma(text, found):
    assert split_signature(text) == found


def test_no_such_signature():
    with pytest.raises(UsageError, match=r"'unsinged' is no signature of a\.inf") as error:
        read_package("a.inf,unsinged")
    assert error.value.hint == "did you mean unsigned?"


def test_what_cannot_be_read(tmp_path):
    path = tmp_path / "a.inf"
    with pytest.raises(UsageError, match="No such file"):
        read_package(str(path))
    path.write_bytes(b"[Version")
    with pytest.raises(InfError, match=r"a\.inf, line 1, column 1"):
        read_package(str(path))


def test_every_fixture_is_a_package():
    for path in FIXTURES.glob("*.inf"):
        assert read_package(str(path)).record()["name"] == path.name


def test_the_folder_in_the_driver_store_is_told_apart_by_what_is_in_it():
    one, other = (make_package(data, "A.inf") for data in (b"[Version]\n", b"[Version] \n"))
    assert one.folder("amd64").startswith("a.inf_amd64_")
    assert len({one.folder("amd64"), one.folder("x86"), other.folder("amd64")}) == 3
    assert one.folder("x86") != one._replace(signature=Signature.WHQL).folder("x86")
