# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.apdu import ApduError, CommandApdu, ResponseApdu
from vreader.iso7816.sw import SW

byte = st.integers(0, 255)
# Long data is one repeated byte: hypothesis would otherwise spend its time on 64 KiB of noise.
data = st.binary(max_size=300) | st.builds(
    lambda n, b: bytes((b,)) * n, st.sampled_from((0, 1, 255, 256, 257, 65534, 65535)), byte
)
ne = st.integers(0, 65536) | st.sampled_from((0, 1, 255, 256, 257, 65535, 65536))
commands = st.builds(CommandApdu, byte, byte, byte, byte, data, ne, st.booleans())


@given(commands)
def test_parse_undoes_bytes(command):
    assert CommandApdu.parse(bytes(command)) == command


@given(
    st.binary(max_size=600)
    | st.binary(max_size=12).map(lambda tail: b"\x00\xa4\x04\x00" + tail)
    | st.builds(lambda n, extra: bytes(5) + n.to_bytes(2, "big") + bytes(n + extra),
                st.integers(0, 600), st.integers(0, 5))
)  # fmt: skip
def test_bytes_undoes_parse_or_the_error_has_a_position(raw):
    position, again = 0, raw
    try:
        again = bytes(CommandApdu.parse(raw))
    except ApduError as error:
        position = error.position
    assert again == raw
    assert 0 <= position <= len(raw)


H = "00A40400"


@pytest.mark.parametrize(
    ("text", "case", "nc", "expected_ne", "extended"),
    [
        (H, 1, 0, 0, False),
        (H + "01", 2, 0, 1, False),
        (H + "FF", 2, 0, 255, False),
        (H + "00", 2, 0, 256, False),
        (H + "01AA", 3, 1, 0, False),
        (H + "FF" + "AA" * 255, 3, 255, 0, False),
        (H + "01AA01", 4, 1, 1, False),
        (H + "01AA00", 4, 1, 256, False),
        (H + "FF" + "AA" * 255 + "00", 4, 255, 256, False),
        (H + "000001", 2, 0, 1, True),
        (H + "000101", 2, 0, 257, True),
        (H + "00FFFF", 2, 0, 65535, True),
        (H + "000000", 2, 0, 65536, True),
        (H + "000001AA", 3, 1, 0, True),
        (H + "000100" + "AA" * 256, 3, 256, 0, True),
        (H + "00FFFF" + "AA" * 65535, 3, 65535, 0, True),
        (H + "000001AA0001", 4, 1, 1, True),
        (H + "000001AA0000", 4, 1, 65536, True),
        (H + "00FFFF" + "AA" * 65535 + "0000", 4, 65535, 65536, True),
    ],
    ids=lambda value: value[8:22] or "case 1" if isinstance(value, str) else None,
)
def test_every_case_at_its_edges(text, case, nc, expected_ne, extended):
    raw = bytes.fromhex(text)
    command = CommandApdu.parse(raw)
    assert command.header == raw[:4]
    assert (command.case, len(command.data), command.ne) == (case, nc, expected_ne)
    assert command.extended is extended
    assert bytes(command) == raw


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("00A404", 3),
        (H + "02AA", 4),  # Lc announces a byte more than follows
        (H + "01AA0000", 4),  # a byte more than Le
        (H + "0000", 4),  # half an extended length
        (H + "000000AA", 5),  # extended Lc of zero
        (H + "000002AA", 5),
        (H + "000001AA00", 5),  # half an extended Le
        (H + "000001AA000000", 5),
    ],
)
def test_errors_name_the_byte(text, position):
    with pytest.raises(ApduError) as caught:
        CommandApdu.parse(bytes.fromhex(text))
    assert caught.value.position == position
    assert str(position) in str(caught.value)


def test_lengths_that_do_not_fit_short_form_force_extended():
    assert CommandApdu(0, 0xCB, data=bytes(256)).extended
    assert CommandApdu(0, 0xCB, ne=257).extended
    assert not CommandApdu(0, 0xCB, ne=256).extended
    assert not CommandApdu(0, 0xCB, extended=True).extended, "case 1 has no lengths"


@pytest.mark.parametrize(
    "fields",
    [{"cla": 256}, {"ins": -1}, {"p1": 256}, {"p2": 256}, {"data": bytes(65536)}, {"ne": 65537},
     {"ne": -1}],
)  # fmt: skip
def test_impossible_fields_are_refused(fields):
    with pytest.raises(ValueError):
        CommandApdu(**{"cla": 0, "ins": 0, **fields})


@given(st.binary(max_size=300), st.integers(0, 0xFFFF))
def test_responses_round_trip(body, sw):
    response = ResponseApdu(body, SW(sw))
    assert bytes(response) == body + sw.to_bytes(2, "big")
    assert ResponseApdu.parse(bytes(response)) == response


@pytest.mark.parametrize(("raw", "position"), [(b"", 0), (b"\x90", 1), (bytes(65539), 65538)])
def test_impossible_responses(raw, position):
    with pytest.raises(ApduError) as caught:
        ResponseApdu.parse(raw)
    assert caught.value.position == position


def test_the_longest_response():
    raw = bytes(65536) + b"\x90\x00"
    assert bytes(ResponseApdu.parse(raw)) == raw
    with pytest.raises(ValueError):
        ResponseApdu(bytes(65537), SW.OK)
