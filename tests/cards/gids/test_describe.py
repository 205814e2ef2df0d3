# SPDX-License-Identifier: Apache-2.0
"""What traces say about a command, and that no secret byte is left outside the secret ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.gids import KIND
from vreader.card import Description
from vreader.iso7816 import CommandApdu

(GIDS,) = KIND.aids
MARKER = b"M4RK3R0!"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("00A4040009A0000003974254465900", "SELECT GIDS"),
        ("00A404000BA000000397425446590201", "SELECT GIDS"),
        ("00A4040006D27600012401", ""),
        ("00A4000C023FFF", "SELECT application"),
        ("00A4000C02B081", "SELECT EF B081"),
        ("00CBA000045C02DF1F00", "GET DATA file table"),
        ("00CBA012045C02DF2000", "GET DATA cardid"),
        ("00CBA010045C02DF2400", "GET DATA EF A010 DF24"),
        ("00CB2F01025C0000", "GET DATA EF.ATR all"),
        ("00CB3FFF045C027F7100", "GET DATA PIN status"),
        ("00CB3FFF0A7008840181A5037F498000", "GET DATA public key 81"),
        ("00DBA01009DF2206000000000000", "PUT DATA cardcf"),
        ("10DBA01005DF24820300", "PUT DATA EF A010 DF24 (link)"),
        ("00DB3FFF267024840180A51F8718", "PUT KEY"),
        ("00DB3FFF057003840180", "PUT KEY 80"),
        ("00E000000E620C8201398302A0008C03033000", "CREATE FILE A000"),
        ("0044000000", "ACTIVATE FILE"),
        ("00E40000", "DELETE FILE"),
        ("00E60000", "TERMINATE DF"),
        ("0020008000", "VERIFY PIN, ask for status"),
        ("0020008006313233343536", "VERIFY PIN"),
        ("00200082", "VERIFY, deauthenticate"),
        ("0024018006313233343536", "CHANGE REFERENCE DATA PIN, without the old one"),
        ("002400810431323334", "CHANGE REFERENCE DATA PUK"),
        ("002C0280063132333435 36", "RESET RETRY COUNTER PIN by admin key"),
        ("002C0080063132333435 36", "RESET RETRY COUNTER PIN by PUK"),
        ("0022C1A403830180", "MANAGE SECURITY ENVIRONMENT authentication key 80"),
        (
            "002241B606800157840181",
            "MANAGE SECURITY ENVIRONMENT signature RSA-2048 PKCS #1 key 81",
        ),
        ("002A9E9A0155", "COMPUTE DIGITAL SIGNATURE"),
        ("102A80860155", "DECIPHER (link)"),
        ("0047000008AC06800107830181", "GENERATE ASYMMETRIC KEY PAIR RSA-2048 key 81"),
        ("00870000047C02810000", "GENERAL AUTHENTICATE admin key, get challenge"),
        ("0087000003 7C0082", "GENERAL AUTHENTICATE admin key"),
        ("0084000008", "GET CHALLENGE"),
        ("00C0000000", "GET RESPONSE"),
        ("00CADF3005", ""),
        ("00", ""),
        ("", ""),
    ],
)
def test_texts(command, text):
    assert KIND.describe(bytes.fromhex(command), GIDS).text == text


def test_without_knowing_what_is_selected():
    """Other applications have most of these commands; they explain and hide them better."""
    for unsure in ("00CB3FFF055C035FC10200", "0020008000", "0047009A05AC0380010700"):
        assert KIND.describe(bytes.fromhex(unsure), b"") == Description("")
    assert KIND.describe(bytes.fromhex("002A80860155"), b"").secret_reply
    assert KIND.describe(bytes.fromhex("0020008000"), GIDS[:5]).text
    assert KIND.describe(bytes.fromhex("0020008000"), bytes.fromhex("A000000308")).text == ""


def shown(raw):
    """Return a command with its secret bytes taken out."""
    out = bytearray(raw)
    for start, end in KIND.describe(raw, GIDS).secret:
        assert 4 <= start < end <= len(raw)
        out[start:end] = bytes(end - start)
    return bytes(out)


SECRETS = {
    "VERIFY": (0x20, 0, 0x80, MARKER),
    "VERIFY of something else": (0x20, 0, 0x82, MARKER),
    "CHANGE": (0x24, 0, 0x80, MARKER + MARKER),
    "SET PIN": (0x24, 1, 0x80, MARKER),
    "RESET RETRY": (0x2C, 2, 0x80, MARKER),
    "PUT ADMIN KEY": (0xDB, 0x3F, 0xFF, b"\x70\x1f\x84\1\x80\xa5\x1a\x87\x18" + MARKER * 3),
    "IMPORT": (0xDB, 0x3F, 0xFF, b"\x70\x82\4\xb4\x84\1\x82\xa5\x82\4\xad\x87\x82" + MARKER * 40),
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("cla", [0x00, 0x10])
def test_secrets_are_marked(name, extended, cla):
    ins, p1, p2, data = SECRETS[name]
    raw = bytes(CommandApdu(cla, ins, p1, p2, data[: None if extended else 255], 0, extended))
    assert MARKER[:4] not in shown(raw)
    assert shown(raw)[:4] == raw[:4]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("size", [1, 3, 7, 8, 20])
def test_secrets_are_marked_in_every_link(name, size):
    ins, p1, p2, data = SECRETS[name]
    for at in range(0, len(data), size):
        last = at + size >= len(data)
        raw = bytes(CommandApdu(0 if last else 0x10, ins, p1, p2, data[at : at + size]))
        for position, byte in enumerate(shown(raw)[5:]):
            assert byte == 0 or at + position < data.index(MARKER)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_marked_in_malformed_commands(name):
    ins, p1, p2, data = SECRETS[name]
    for lc in (b"\0", b"\x07", b"\xff", b"\0\0\0"):
        assert MARKER[:4] not in shown(bytes((0, ins, p1, p2)) + lc + data)


def test_files_are_shown():
    assert KIND.describe(bytes.fromhex("00DBA01009DF2206000000000000"), GIDS).secret == ()


@given(st.binary(max_size=400), st.sampled_from([GIDS, b"", GIDS[:5], GIDS + b"\2\1", b"other"]))
def test_it_never_raises(raw, aid):
    for start, end in KIND.describe(raw, aid).secret:
        assert 4 <= start < end <= len(raw)


@given(
    st.sampled_from([0x20, 0x22, 0x24, 0x2A, 0x2C, 0x47, 0x87, 0xA4, 0xCB, 0xDB, 0xE0, 0xE4]),
    st.binary(min_size=2, max_size=300),
)
def test_it_never_raises_on_its_own_commands(ins, rest):
    raw = bytes((0x00, ins)) + rest
    for start, end in KIND.describe(raw, GIDS).secret:
        assert 4 <= start < end <= len(raw)
