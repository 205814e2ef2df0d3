# SPDX-License-Identifier: Apache-2.0
"""The files of Windows, against bytes that Microsoft's documentation and recorded cards show."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader import cardfs as fs

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)


def test_container_record():
    record = bytes.fromhex("610062006300") + bytes(74) + bytes.fromhex("030000080000")
    assert bytes(fs.Container("abc", fs.VALID | fs.DEFAULT, 2048, 0)) == record
    assert fs.decode_container_map(record) == [fs.Container("abc", 3, 2048, 0)]
    assert not fs.Container().valid
    with pytest.raises(ValueError, match="39"):
        bytes(fs.Container("x" * 40))


def test_counters():
    assert bytes(fs.CardCf().changed(containers=1)) == bytes.fromhex("000001000000")
    assert bytes(fs.CardCf(0, 0, 0xFFFF, 0xFFFF).changed(containers=1, files=2)) == (
        bytes.fromhex("000000000100")
    )
    assert fs.CardCf.read(bytes.fromhex("000102000300AABBCCDD")) == fs.CardCf(0, 1, 2, 3)
    with pytest.raises(ValueError, match="six"):
        fs.CardCf.read(b"")


def test_key_map():
    raw = bytes.fromhex("0101000000079A81B0FFFF000001000000079C82B0FFFF0000")
    entries = [
        fs.KeyMapEntry(0x07, fs.EXCHANGE, 0xB081), fs.KeyMapEntry(0x07, fs.SIGNATURE, 0xB082),
    ]  # fmt: skip
    assert fs.decode_key_map(raw) == entries
    assert fs.encode_key_map(entries) == raw
    both = fs.KeyMapEntry(0x07, fs.EXCHANGE, 0xB081, True, 0x06, fs.SIGNATURE, 0xB0A1)
    assert fs.decode_key_map(fs.encode_key_map([both])) == [both]


def test_file_table():
    raw = fs.encode_file_table(
        [fs.FileEntry("mscp", "", 0, 0xA000), fs.FileEntry("", "cardid", 0xDF20, 0xA012)]
    )
    assert len(raw) == 1 + 2 * 28
    assert raw[29:].hex().upper() == (
        "000000000000000000" + "636172646964000000" + "0000" + "20DF0000" + "12A00000"
    )
    entries = fs.decode_file_table(raw)
    assert fs.find_file(entries, "", "CardId") == entries[1]
    assert fs.find_file(entries, "mscp", "cardid") is None
    with pytest.raises(ValueError, match="8 characters"):
        fs.encode_file_table([fs.FileEntry("", "ninechars", 0, 0)])


@given(st.lists(st.builds(fs.FileEntry, NAMES, NAMES, st.integers(0, 0xFFFF), st.integers(0, 9))))
def test_file_tables_come_back(entries):
    assert fs.decode_file_table(fs.encode_file_table(entries)) == entries


@given(st.binary(max_size=200))
def test_bytes_of_any_kind(raw):
    for read in (
        fs.decode_file_table, fs.decode_container_map, fs.decode_key_map, fs.CardCf.read,
        fs.expand_certificate,
    ):  # fmt: skip
        try:
            read(raw)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - it may also succeed


def test_certificates():
    der = bytes(range(256)) * 3
    raw = fs.compress_certificate(der)
    assert raw[:4] == b"\x01\x00\x00\x03"
    assert zlib.decompress(raw[4:]) == der
    assert fs.expand_certificate(raw) == der
    assert fs.expand_certificate(b"\x30\x03abc") == b"\x30\x03abc"
    with pytest.raises(ValueError, match="claims"):
        fs.expand_certificate(b"\x01\x00\x01\x00" + zlib.compress(bytes(10**6)))
    for cut in (raw[:-1], raw[:-4], raw[:40]):
        with pytest.raises(ValueError, match="damaged"):
            fs.expand_certificate(cut)
    assert fs.certificate_file(3) == "kxc03"
    assert fs.certificate_file(0, signature=True) == "ksc00"


@pytest.mark.parametrize(
    ("encode", "problem"),
    [
        (lambda: fs.encode_file_table([fs.FileEntry("", "日本", 1, 1)]), "Latin letters"),
        (lambda: fs.encode_file_table([fs.FileEntry("", "a", 1 << 32, 1)]), "data object's tag"),
        (lambda: fs.encode_file_table([fs.FileEntry("", "a", 1, -1)]), "file identifier"),
        (lambda: bytes(fs.Container("a", 256)), "flags"),
        (lambda: bytes(fs.Container("a", 1, 65536)), "size of a key"),
        (lambda: bytes(fs.KeyMapEntry(7, fs.EXCHANGE, 0x1FFFF)), "file identifier"),
        (lambda: fs.compress_certificate(bytes(65536)), "certificate's length"),
    ],
)
def test_what_does_not_fit_its_place(encode, problem):
    with pytest.raises(ValueError, match=problem):
        encode()


def test_pins_have_a_counter_of_one_byte():
    assert fs.CardCf(pins=255).changed(pins=2).pins == 1
