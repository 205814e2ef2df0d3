# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.registry.textfile import decode, decode_ansi, encode_ansi


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff\xfea\0\xe9\0", "aé"),
        (b"a\0b\0", "ab"),
        (b"\xef\xbb\xbf\xd0\x9f", "П"),
        (b"\xd0\x9f", "П"),
        (b"caf\xe9", "café"),
        (b"\x81\x80", "\x81€"),
        (b"", ""),
        (b"\xff\xfe\x00\xd8", "\ud800"),
    ],
)
def test_each_encoding_is_recognised(data, text):
    assert decode(data) == text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff\xfea", "byte 2 is not UTF-16-LE"),
        (b"a\0b", "byte 2 is not UTF-16-LE"),
        (b"\xfe\xff\0a", "big-endian UTF-16"),
        (b"\xef\xbb\xbfa\xff", "byte 4 is not UTF-8"),
    ],
)
def test_what_is_in_none_is_refused(data, problem):
    with pytest.raises(ValueError, match=problem):
        decode(data)


@given(st.binary())
def test_ansi_comes_back(data):
    assert encode_ansi(decode_ansi(data)) == data


@pytest.mark.parametrize("text", ["П", "\udc81", "a\x81П"])
def test_what_a_code_page_lacks_is_refused(text):
    with pytest.raises(UnicodeEncodeError):
        encode_ansi(text)
