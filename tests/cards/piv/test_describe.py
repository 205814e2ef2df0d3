# SPDX-License-Identifier: Apache-2.0
"""What traces say about a command, and that no secret byte is left outside the secret ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.piv import KIND
from vreader.card import Description
from vreader.iso7816 import CommandApdu

PIV, MANAGEMENT = KIND.aids
MARKER = b"M4RK3R0!"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("00A4040005A000000308", "SELECT PIV"),
        ("00A4040008A00000052747111700", "SELECT Yubico management"),
        ("00A4040006D27600012401", "SELECT D27600012401"),
        ("0020008000", "VERIFY PIV PIN, ask for status"),
        ("00200080083132333435368888", "VERIFY PIV PIN"),
        ("00200000083132333435368888", "VERIFY global PIN"),
        ("00200098083132333435363738", "VERIFY pairing code"),
        ("0020FF98", "VERIFY pairing code, log out"),
        ("0020009600", "VERIFY primary finger, ask for status"),
        ("00240000103132333435363738", "CHANGE REFERENCE DATA global PIN"),
        ("00CB3FFF055C035FC12300", "GET DATA pairing code"),
        ("00DB3FFF147E124F0BA0000003080000100001005F2F024000", "PUT DATA Discovery"),
        ("00DB3FFF067F6103020100", "PUT DATA BIT group template"),
        ("0020FF80", "VERIFY PIV PIN, log out"),
        ("00240081103132333435363738", "CHANGE REFERENCE DATA PUK"),
        ("002C008000", "RESET RETRY COUNTER PIV PIN"),
        ("00CB3FFF055C035FC10200", "GET DATA CHUID"),
        ("00CB3FFF035C017E08", "GET DATA Discovery"),
        ("00CB3FFF055C035FC10500", "GET DATA certificate 9A"),
        ("00CB3FFF055C035FC12000", "GET DATA certificate 95"),
        ("00CB3FFF055C035F123400", "GET DATA 5F1234"),
        ("00DB3FFF075C035FC1055300", "PUT DATA certificate 9A"),
        ("10DB3FFF0A5C035FC1055382020070", "PUT DATA certificate 9A (link)"),
        ("0087079A0B0011", "GENERAL AUTHENTICATE 9A RSA-2048"),
        ("1087079E047C820106", "GENERAL AUTHENTICATE 9E RSA-2048 (link)"),
        ("0087039B047C02800000", "GENERAL AUTHENTICATE 9B 3DES get witness"),
        ("0087009B047C02810000", "GENERAL AUTHENTICATE 9B 3DES get challenge"),
        ("0087039B057C03820155", "GENERAL AUTHENTICATE 9B 3DES external"),
        ("0087039B087C06800155810166", "GENERAL AUTHENTICATE 9B 3DES mutual"),
        ("0087119D077C0582008501 0400", "GENERAL AUTHENTICATE 9D P-256 key agreement"),
        ("0047009E05AC0380010700", "GENERATE ASYMMETRIC KEY PAIR 9E RSA-2048"),
        ("00FD000000", "GET VERSION"),
        ("00F8000000", "GET SERIAL"),
        ("00F7008000", "GET METADATA PIV PIN"),
        ("00F7009A00", "GET METADATA 9A"),
        ("00F99A0000", "ATTEST 9A"),
        ("00FA0305", "SET PIN RETRIES 3 5"),
        ("00FB0000", "RESET"),
        ("00FE119A0406020011", "IMPORT KEY 9A P-256"),
        ("00FFFFFF0403 9B1800", "SET MANAGEMENT KEY"),
        ("00C0000000", "GET RESPONSE"),
        ("00CADF3005", ""),
        ("00", ""),
        ("", ""),
    ],
)
def test_texts(command, text):
    assert KIND.describe(bytes.fromhex(command), PIV).text == text


def test_the_management_application():
    assert KIND.describe(bytes.fromhex("001D000000"), MANAGEMENT).text == "READ CONFIG page 0"
    assert KIND.describe(bytes.fromhex("00200080"), MANAGEMENT) == Description("")
    assert KIND.describe(bytes.fromhex("001D000000"), MANAGEMENT[:6]).text != ""


def shown(raw):
    """Return a command with its secret bytes taken out."""
    out = bytearray(raw)
    for start, end in KIND.describe(raw, PIV).secret:
        assert 4 <= start < end <= len(raw)
        out[start:end] = bytes(end - start)
    return bytes(out)


SECRETS = {
    "VERIFY": (0x20, 0, 0x80, MARKER),
    "CHANGE": (0x24, 0, 0x81, MARKER + MARKER),
    "RESET RETRY": (0x2C, 0, 0x80, MARKER + MARKER),
    "IMPORT": (0xFE, 0x11, 0x9A, b"\6\x20" + MARKER * 4),
    "IMPORT RSA": (0xFE, 7, 0x9A, b"\1\x82\1\0" + MARKER * 32),
    "SET KEY": (0xFF, 0xFF, 0xFF, b"\3\x9b\x18" + MARKER * 3),
    "PUT PRINTED": (0xDB, 0x3F, 0xFF, b"\x5c\3\x5f\xc1\x09\x53\x1c\x88\x1a\x89\x18" + MARKER * 3),
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("ne", [0, 256])
@pytest.mark.parametrize("cla", [0x00, 0x10])
def test_secrets_are_marked(name, extended, ne, cla):
    ins, p1, p2, data = SECRETS[name]
    if len(data) > 255 and not extended:
        data = data[:255]
    raw = bytes(CommandApdu(cla, ins, p1, p2, data, ne, extended))
    assert MARKER[:4] not in shown(raw)
    assert shown(raw)[:4] == raw[:4]
    if ne:
        assert KIND.describe(raw, PIV).secret[-1][1] == len(raw) - (2 if extended else 1)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("size", [1, 3, 6, 7, 8, 12, 20])
def test_secrets_are_marked_in_every_link(name, size):
    ins, p1, p2, data = SECRETS[name]
    for at in range(0, len(data), size):
        part = data[at : at + size]
        last = at + size >= len(data)
        raw = bytes(CommandApdu(0 if last else 0x10, ins, p1, p2, part))
        hidden = shown(raw)[5:]
        # Whatever part of the marker a link holds, none of it is shown.
        for position, byte in enumerate(hidden):
            assert byte == 0 or not _in_marker(data, at + position)


def _in_marker(data, position):
    return position >= data.index(MARKER)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_marked_in_malformed_commands(name):
    ins, p1, p2, data = SECRETS[name]
    for lc in (b"\0", b"\x07", b"\xff", b"\0\0\0"):
        raw = bytes((0, ins, p1, p2)) + lc + data
        assert MARKER[:4] not in shown(raw)


def test_public_objects_are_shown():
    raw = bytes.fromhex("00DB3FFF095C035FC1055302AABB")
    assert KIND.describe(raw, PIV).secret == ()


@pytest.mark.parametrize(
    ("command", "secret"),
    [("00CB3FFF055C035FC10900", True), ("00CB3FFF055C035FC10200", False),
     ("0087079D0B" + "11" * 11 + "00", True), ("008707820B" + "11" * 11 + "00", True),
     ("0087079A0B" + "11" * 11 + "00", False), ("0087119A097C0782008503041122", True),
     ("0087119A077C05820081011100", False), ("0087119A0311223300", True),
     ("0087039B047C02810000", False), ("00CB3FFF025C0300", True)],
)  # fmt: skip
def test_secret_replies(command, secret):
    assert KIND.describe(bytes.fromhex(command), PIV).secret_reply is secret


@given(st.binary(max_size=400), st.sampled_from([PIV, MANAGEMENT, b"", PIV[:5], b"other"]))
def test_it_never_raises(raw, aid):
    found = KIND.describe(raw, aid)
    for start, end in found.secret:
        assert 4 <= start < end <= len(raw)


@given(
    st.sampled_from([0x20, 0x24, 0x2C, 0x47, 0x87, 0xCB, 0xDB, 0xF7, 0xF9, 0xFE, 0xFF, 0xA4]),
    st.binary(min_size=2, max_size=300),
)
def test_it_never_raises_on_its_own_commands(ins, rest):
    raw = bytes((0x00, ins)) + rest
    for start, end in KIND.describe(raw, PIV).secret:
        assert 4 <= start < end <= len(raw)


def test_the_pairing_code_is_secret_wherever_it_goes():
    read = KIND.describe(bytes.fromhex("00CB3FFF055C035FC12300"), PIV)
    assert read.secret_reply
    write = bytes.fromhex("00DB3FFF115C035FC123530C9908") + MARKER + b"\xfe\0"
    ((start, stop),) = KIND.describe(write, PIV).secret
    assert MARKER in write[start:stop]
    assert write[5:start] == bytes.fromhex("5C035FC123")
    verify = bytes.fromhex("0020009808") + MARKER
    assert KIND.describe(verify, PIV).secret == ((5, 13),)


def test_a_last_link_that_looks_like_an_object_of_its_own_stays_hidden():
    link = bytes.fromhex("00DB3FFF0A7E08") + MARKER
    assert KIND.describe(link, PIV).secret == ((5, 15),)
