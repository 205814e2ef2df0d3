# SPDX-License-Identifier: Apache-2.0
"""What results of Card* functions look like to a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.cardfs import compress_certificate
from vreader.minidriver.abi.structs import (
    CARD_FREE_SPACE_INFO,
    CONTAINER_MAP_RECORD,
    PIN_INFO,
)
from vreader.minidriver.calltold import dump, told
from vreader.minidriver.values import ContainerInfo


def lines(function, arguments, result):
    return list(told(function, arguments, result))


def test_bytes_are_dumped():
    assert list(dump(b"cardid\0" + bytes(range(16)))) == [
        "0000  63 61 72 64 69 64 00 00 01 02 03 04 05 06 07 08  cardid..........",
        "0010  09 0A 0B 0C 0D 0E 0F                             .......",
    ]
    assert list(dump(b"")) == ["(empty)"]


def test_the_container_map():
    raw = CONTAINER_MAP_RECORD("abc", 3, 0, 0, 2048).encode() + CONTAINER_MAP_RECORD().encode()
    assert lines("CardReadFile", ["MSCP", "cmapfile", 0], raw)[-2:] == [
        "container 0: abc, valid and default, signature 0, exchange 2048 bits",
        "container 1: -, free, signature 0, exchange 0 bits",
    ]


@pytest.mark.parametrize(
    ("directory", "name", "raw", "last"),
    [
        (None, "cardcf", bytes.fromhex("000102000300"), "wFilesFreshness 3"),
        (None, "cardapps", b"mscp\0\0\0\0", "directory mscp"),
        ("mscp", "cmapfile", b"\1\2\3", "this is no such file: "),
        ("mscp", "kxc00", compress_certificate(b"\1"), "this is no such file: "),
        (None, "other", b"x", "0000  78 "),
    ],
)
def test_files(directory, name, raw, last):
    assert lines("CardReadFile", [directory, name, 0], raw)[-1].startswith(last)


def test_properties():
    assert lines("CardGetProperty", ["Cache Mode", b"", 0], b"\3\0\0\0")[-1] == "DWORD 3"
    found = lines("CardGetProperty", ["PIN Information", b"", 1], PIN_INFO().encode())
    assert "dwVersion 6" in found
    assert lines("CardGetContainerProperty", [0, "PIN Identifier", b"", 0], b"\1\0\0\0")[-1] == (
        "PIN_ID 1"
    )
    assert len(lines("CardGetProperty", ["Made Up", b"", 0], b"\3")) == 1


def test_the_rest():
    assert lines("CardDeleteFile", [], None) == []
    assert lines("CardEnumFiles", [], ["cardid", "cardcf"]) == ["cardid", "cardcf"]
    assert lines("CardQueryFreeSpace", [], CARD_FREE_SPACE_INFO(1, 9, 8, 7))[1:] == [
        "dwBytesAvailable 9", "dwKeyContainersAvailable 8", "dwMaxKeyContainers 7",
    ]  # fmt: skip
    found = lines("CardGetContainerInfo", [], ContainerInfo(1, b"junk"))
    assert found == [
        "signature: 4 bytes that are no public key: " + found[0][43:],
        "exchange: none",
    ]


@given(
    st.sampled_from(
        [(None, "cardcf"), (None, "cardapps"), ("mscp", "cmapfile"), ("mscp", "kxc00")]
    ),
    st.binary(max_size=200),
)
def test_whatever_a_card_has_in_a_file_is_told(place, raw):
    assert all(isinstance(line, str) for line in lines("CardReadFile", [*place, 0], raw))
