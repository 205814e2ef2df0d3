# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.tlv import Tlv, TlvError, encode_length, encode_tag


@st.composite
def tags(draw: st.DrawFn) -> int:
    """A tag of one to four bytes."""
    first = draw(st.integers(1, 255))
    if first & 0x1F != 0x1F:
        return first
    middle = draw(st.lists(st.integers(0x80, 0xFF), max_size=2))
    return int.from_bytes(bytes((first, *middle, draw(st.integers(0, 0x7F)))), "big")


@st.composite
def tlvs(draw: st.DrawFn) -> Tlv:
    """A data object whose length field may be longer than it need be."""
    value = draw(st.binary(max_size=300))
    octets = draw(st.integers(len(encode_length(len(value))), 5))
    return Tlv(draw(tags()), value, 0 if octets == len(encode_length(len(value))) else octets)


@given(tlvs())
def test_parse_undoes_bytes(tlv):
    assert Tlv.parse(bytes(tlv)) == tlv


@given(st.lists(tlvs(), max_size=4))
def test_series_and_nesting(children):
    outer = Tlv.of(0x7F49, *children)
    assert outer.constructed
    assert Tlv.parse(bytes(outer)).children() == children
    assert Tlv.parse_all(outer.value) == children
    for child in children:
        assert outer.find(child.tag).tag == child.tag
    assert outer.find(0x1F00 if all(c.tag != 0x1F00 for c in children) else 0x01020304) is None


@given(st.binary(max_size=20) | tlvs().map(bytes))
def test_bytes_undoes_parse_or_the_error_has_a_position(raw):
    position, again = 0, raw
    try:
        again = b"".join(map(bytes, Tlv.parse_all(raw)))
    except TlvError as error:
        position = error.position
    assert again == raw
    assert 0 <= position <= len(raw)


@given(tlvs(), st.data())
def test_a_cut_object_is_refused(tlv, data):
    raw = bytes(tlv)
    with pytest.raises(TlvError):
        Tlv.parse(raw[: data.draw(st.integers(0, len(raw) - 1))])


@pytest.mark.parametrize(
    ("text", "tag", "value", "octets"),
    [
        ("5300", 0x53, "", 0),
        ("5C035FC102", 0x5C, "5FC102", 0),
        ("5FC10201AA", 0x5FC102, "AA", 0),
        ("7F4903860101", 0x7F49, "860101", 0),
        ("DFFFFF7F00", 0xDFFFFF7F, "", 0),
        ("538101AA", 0x53, "AA", 2),
        ("53820001AA", 0x53, "AA", 3),
        ("5384 00000001 AA", 0x53, "AA", 5),
        ("5381 80" + "AA" * 128, 0x53, "AA" * 128, 0),
        ("5382 0100" + "AA" * 256, 0x53, "AA" * 256, 0),
    ],
)
def test_examples(text, tag, value, octets):
    raw = bytes.fromhex(text)
    tlv = Tlv.parse(raw)
    assert tlv == Tlv(tag, bytes.fromhex(value), octets)
    assert bytes(tlv) == raw


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("00", 0),  # not a tag
        ("5F", 1),  # the tag ends too soon
        ("5F81", 2),
        ("1F8080808000", 0),  # a tag of five bytes
        ("53", 1),  # no length
        ("5380", 1),  # indefinite length
        ("5385", 1),
        ("538200", 3),  # half a length
        ("5302AA", 2),  # value too short
        ("5301AABB", 3),  # a byte too many
    ],
)
def test_errors_name_the_byte(text, position):
    with pytest.raises(TlvError) as caught:
        Tlv.parse(bytes.fromhex(text))
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("length", "field"),
    [(0, "00"), (127, "7F"), (128, "8180"), (255, "81FF"), (256, "820100"), (65535, "82FFFF"),
     (65536, "83010000")],
)  # fmt: skip
def test_the_shortest_length(length, field):
    assert encode_length(length) == bytes.fromhex(field)


@pytest.mark.parametrize(("length", "octets"), [(128, 1), (256, 2), (65536, 3)])
def test_a_length_field_that_is_too_short_is_refused(length, octets):
    with pytest.raises(ValueError):
        encode_length(length, octets)


def test_constructed_is_a_bit_of_the_first_byte():
    assert Tlv(0x7E).constructed
    assert not Tlv(0x5FC102).constructed
    assert encode_tag(0x5FC102) == bytes.fromhex("5FC102")
