# SPDX-License-Identifier: Apache-2.0
from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.atr import DI, FI, Atr, AtrError, byte_names

YUBIKEY_5 = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")
REAL = {
    "YubiKey 5 USB": YUBIKEY_5.hex(),
    "YubiKey 5 NFC": "3B8D80018073C021C057597562694B6579F9",
    "YubiKey 4": "3BF81300008131FE15597562696B657934D4",
    "YubiKey NEO": "3BFC1300008131FE15597562696B65794E454F7233E1",
    "OpenPGP 2": "3BDA18FF81B1FE751F030031C573C001400090000C",
    "OpenPGP 3": "3BDA18FF81B1FE751F030031F573C001600090001C",
    "Gnuk": "3BDA11FF81B1FE551F0300318473800180009000E4",
    "OsEID": "3BF518000280014F734549441A",
    "neutral": "3B80800101",
    "inverse": "3F6525082204689000",
    "shortest": "3B00",
}


@st.composite
def atrs(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, int, int]], bytes]:
    """A well-formed ATR, its interface bytes (kind, index, value) and its historical bytes."""
    historical = draw(st.binary(max_size=15))
    room = 33 - 3 - len(historical)
    body, interface, needs_tck = bytearray(), [], False
    low, index = len(historical), 1
    while True:
        present = draw(st.sets(st.sampled_from(["TA", "TB", "TC"])))
        more = draw(st.booleans())
        if len(body) + len(present) + more + 1 > room:
            present, more = set(), False
        flags = sum(b for b, k in ((1, "TA"), (2, "TB"), (4, "TC"), (8, "TD")) if k in present)
        body.append((flags | (8 if more else 0)) << 4 | low)
        if index > 1:
            interface.append(("TD", index - 1, body[-1]))
        for kind in sorted(present):
            value = draw(st.integers(0, 255))
            if (kind, index) == ("TA", 1):
                value = draw(ta1_values)
            interface.append((kind, index, value))
            body.append(value)
        if not more:
            break
        low = draw(st.integers(0, 15))
        needs_tck |= low != 0
        index += 1
    body += historical
    if needs_tck:
        body.append(reduce(xor, body))
    return bytes((draw(st.sampled_from((0x3B, 0x3F))),)) + bytes(body), interface, historical


ta1_values = st.sampled_from([f << 4 | d for f in range(16) for d in range(16) if FI[f] and DI[d]])


@given(atrs())
def test_parse_reads_what_is_there_and_writes_it_back(atr):
    raw, interface, historical = atr
    parsed = Atr.parse(raw)
    assert bytes(parsed) == raw
    assert [(b.kind, b.number, b.value) for b in parsed.interface_bytes] == interface
    assert parsed.historical == historical
    assert Atr.parse(bytes(parsed)) == parsed


@given(atrs(), st.data())
def test_a_cut_atr_is_refused_where_it_ends(atr, data):
    raw = atr[0]
    length = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(AtrError) as caught:
        Atr.parse(raw[:length])
    assert caught.value.position == length


@given(atrs())
def test_a_byte_too_many_is_refused_where_it_stands(atr):
    raw = atr[0]
    with pytest.raises(AtrError) as caught:
        Atr.parse(raw + b"\0")
    assert caught.value.position == len(raw)


@given(st.binary(max_size=40) | st.binary(max_size=34).map(lambda b: b"\x3b" + b))
def test_garbage_raises_nothing_but_the_documented_error(raw):
    position = 0
    try:
        atr = Atr.parse(raw)
    except AtrError as error:
        position = error.position
    else:
        assert bytes(atr) == raw
        assert atr.fi
        assert atr.di
        assert atr.fmax_khz
        assert atr.default_protocol in atr.protocols
        _ = atr.compact_tlv, atr.specific_mode, atr.inverse
    assert 0 <= position <= len(raw)


@pytest.mark.parametrize("text", REAL.values(), ids=REAL.keys())
def test_real_cards_are_read(text):
    raw = bytes.fromhex(text)
    assert bytes(Atr.parse(raw)) == raw


def test_every_field_of_a_yubikey():
    atr = Atr.parse(YUBIKEY_5)
    assert [str(b) for b in atr.interface_bytes] == [
        "TA1=13", "TB1=00", "TC1=00", "TD1=81", "TD2=31", "TA3=FE", "TB3=15",
    ]  # fmt: skip
    assert [b.protocol for b in atr.interface_bytes] == [0, 0, 0, 0, 1, 1, 1]
    assert atr.protocols == (1,)
    assert atr.default_protocol == 1
    assert atr.tck == 0x40
    assert (atr.fi, atr.di, atr.fmax_khz) == (372, 4, 5000)
    assert atr.specific_mode is None
    assert not atr.inverse
    assert atr.historical == bytes.fromhex("8073C021C057597562694B6579")
    assert atr.compact_tlv == {7: bytes.fromhex("C021C0"), 5: b"YubiKey"}


def test_category_zero_ends_in_a_status_indicator():
    atr = Atr.parse(bytes.fromhex(REAL["OpenPGP 2"]))
    assert atr.compact_tlv == {
        3: bytes.fromhex("C5"),
        7: bytes.fromhex("C00140"),
        8: bytes.fromhex("009000"),
    }


def test_several_protocols_come_in_order_without_t15():
    assert Atr.parse(bytes.fromhex(REAL["neutral"])).protocols == (0, 1)
    with_t15 = Atr.parse(bytes.fromhex("3B80811FAAB4"))
    assert with_t15.protocols == (1,)
    assert with_t15.tck == 0xB4


@pytest.mark.wdk("certify.sicrypt-atr")
def test_the_sicrypt_card_of_the_hardware_lab_kit():
    atr = Atr.parse(bytes.fromhex("3BDF180081 31FE67 005C49434DD49147D276000038330058"))
    assert atr.protocols == (1,)
    assert (atr.find("TA", 1), atr.find("TC", 1), atr.tck) == (0x18, 0, 0x58)


@pytest.mark.wdk("atr.inverse")
def test_inverse_convention_and_t0_without_check_byte():
    atr = Atr.parse(bytes.fromhex(REAL["inverse"]))
    assert atr.inverse
    assert (atr.protocols, atr.tck) == ((0,), None)
    assert (atr.find("TB", 1), atr.find("TC", 1), atr.find("TA", 1)) == (0x25, 0x08, None)
    assert atr.historical == bytes.fromhex("2204689000")


@pytest.mark.wdk("atr.defaults", "atr.td1-absent")
def test_defaults_without_interface_bytes():
    atr = Atr.parse(bytes.fromhex("3B00"))
    assert (atr.fi, atr.di, atr.fmax_khz, atr.protocols) == (372, 1, 5000, (0,))


@pytest.mark.wdk("atr.fi-table", "atr.di-table")
@pytest.mark.parametrize(
    ("ta1", "fi", "di", "fmax"),
    [(0x11, 372, 1, 5000), (0x01, 372, 1, 4000), (0x95, 512, 16, 5000), (0x97, 512, 64, 5000),
     (0xD9, 2048, 20, 20000), (0x68, 1860, 12, 20000)],
)  # fmt: skip
def test_ta1(ta1, fi, di, fmax):
    atr = Atr.build(ta1=ta1)
    assert (atr.fi, atr.di, atr.fmax_khz) == (fi, di, fmax)


@pytest.mark.wdk("atr.ta2")
def test_ta2_fixes_the_protocol():
    atr = Atr.build(protocols=(1,), ta2=0x81)
    assert atr.specific_mode == 1


@pytest.mark.wdk("atr.ts", "atr.tck", "atr.rfu-index", "atr.length", "struct.atr-length")
@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "two bytes"),
        ("3B", 1, "two bytes"),
        ("3C00", 0, "TS"),
        ("3B10", 2, "TA1"),
        ("3B80", 2, "TD1"),
        ("3B8081", 3, "TD2"),
        ("3B8001", 3, "TCK"),
        ("3B800180", 3, "TCK is 80, should be 81"),
        ("3B02AA", 3, "historical"),
        ("3B0000", 2, "after the end"),
        ("3B1010", 2, "reserved"),
        ("3B" + "00" * 33, 33, "at most 33"),
    ],
)
def test_errors_name_the_byte(text, position, words):
    with pytest.raises(AtrError, match=words) as caught:
        Atr.parse(bytes.fromhex(text))
    assert caught.value.position == position


@given(
    st.lists(st.integers(0, 14), min_size=1, max_size=7, unique=True),
    st.binary(max_size=15),
    st.none() | ta1_values,
    st.none() | st.integers(0, 255),
    st.none() | st.integers(0, 255),
    st.booleans(),
)
def test_build_says_what_was_wished(protocols, historical, ta1, tb1, tc1, inverse):
    atr = Atr.build(
        protocols=protocols, historical=historical, ta1=ta1, tb1=tb1, tc1=tc1, inverse=inverse
    )
    assert atr.protocols == tuple(protocols)
    assert atr.historical == historical
    assert (atr.find("TA", 1), atr.find("TB", 1), atr.find("TC", 1)) == (ta1, tb1, tc1)
    assert atr.inverse is inverse
    assert (atr.tck is None) is (protocols == [0])


def test_build_writes_a_real_atr():
    atr = Atr.build(
        protocols=(1,),
        ta1=0x13,
        tb1=0,
        tc1=0,
        specific=[(0xFE, 0x15, None)],
        historical=bytes.fromhex("8073C021C057597562694B6579"),
    )
    assert bytes(atr) == YUBIKEY_5


def test_build_refuses_what_an_atr_cannot_say():
    with pytest.raises(AtrError):
        Atr.build(historical=bytes(16))
    with pytest.raises(AtrError, match="at most 33"):
        Atr.build(protocols=(1, 2, 3, 4, 5, 6, 7), specific=[(1, 2, 3)] * 7, historical=bytes(15))


@pytest.mark.parametrize(
    "historical", ["", "81", "8031", "0090", "8073C0"], ids=lambda h: h or "none"
)
def test_historical_bytes_without_compact_tlv(historical):
    assert Atr.build(historical=bytes.fromhex(historical)).compact_tlv is None


@given(atrs(), st.binary(max_size=15))
def test_with_historical_keeps_all_but_the_historical_bytes(atr, historical):
    before = Atr.parse(atr[0])
    if len(before.raw) - len(before.historical) + len(historical) > 33:
        return
    after = before.with_historical(historical)
    assert after.historical == historical
    assert after.interface_bytes == before.interface_bytes
    assert after.protocols == before.protocols
    assert after.raw[0] == before.raw[0]
    assert after.with_historical(before.historical) == before


def test_with_historical_of_the_fabrikam_sample():
    assert bytes(Atr.parse(b"\x3b\0").with_historical(bytes.fromhex("51FF0800"))).hex() == (
        "3b0451ff0800"
    )
    with pytest.raises(AtrError, match="15 historical"):
        Atr.parse(b"\x3b\0").with_historical(bytes(16))


@given(atrs())
def test_every_byte_has_its_name(atr):
    raw, interface, historical = atr
    names = byte_names(raw)
    assert len(names) == len(raw)
    assert names[:2] == ["TS", "T0"]
    assert names[2 : 2 + len(interface)] == [f"{kind}{number}" for kind, number, _ in interface]
    rest = names[2 + len(interface) :]
    assert rest[: len(historical)] == [
        f"historical byte {number + 1}" for number in range(len(historical))
    ]
    assert rest[len(historical) :] == ([] if Atr.parse(raw).tck is None else ["TCK"])


@given(st.binary(max_size=40))
def test_bytes_of_what_is_no_atr_are_named_too(raw):
    names = byte_names(raw)
    assert len(names) == len(raw)
    assert all(names)


def test_a_byte_behind_the_end_is_called_so():
    assert byte_names(bytes.fromhex("3B0001")) == ["TS", "T0", "byte 2, behind the end"]
    assert byte_names(bytes.fromhex("3B9511")) == ["TS", "T0", "TA1"]
