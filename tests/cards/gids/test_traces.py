# SPDX-License-Identifier: Apache-2.0
"""Conversations of real programs, byte for byte, and Microsoft's script for a blank card."""

import re
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from vreader.iso7816 import Tlv

RECORDED = Path(__file__).with_name("opensc.apdu")
# What the recorded card made up, in this order.
CHALLENGES = (
    "849A09EE8BCE4575A168E8FFD97767C7", "5B5FA3E95837EB6E78C0AE72A2CB346B",
)  # fmt: skip

SCRIPT = """
00A4040409A0000003974254465900 62088201388C030330309000
00240180083132333435363738
00E000000E620C8201398302A0008C03033000
00440000
00E000000E620C8201398302A0108C03033000
00440000
00E000000E620C8201398302A0118C030330FF
00440000
00E000000E620C8201398302A0128C03032000
00440000
00E000000E620C8201398302A0138C03033030
00440000
00E000000E620C8201398302A0148C03032020
00440000
00E000001C621A8201188302B0808C04870020FFA50BA4098001028301809501C0
00440000
00DB3FFF267024840180A51F87180102030405060708010203040506070801020304050607088803B073DC
00DBA00091DF1F818D01
6D736370000000000000000000000000000000000000000000A0000000000000
0000000000636172646964000000000020DF000012A00000
00000000000000000063617264617070730000 0021DF000010A00000
000000000000000000636172646366000000000022DF000010A00000
6D7363700000000000636D617066696C6500000023DF000010A00000
00DBA0100BDF21086D73637000000000
00DBA01009DF2206000000000000
00DBA01003DF2300
00DBA01213DF201000112233445566778899AABBCCDDEEFF
00A4000C023FFF
00440000
"""


def test_the_recorded_conversation(make):
    client = make("blank")
    state, challenges = client.card.applications[0].state, iter(CHALLENGES)
    state.random = lambda size: bytes.fromhex(next(challenges)) if size == 16 else bytes(size)
    for number, line in enumerate(RECORDED.read_text().splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        command, expected = line.split()
        pattern = expected.replace("..", "(?:[0-9A-F]{2})*")
        answer = client.raw(command)
        assert re.fullmatch(pattern, answer), f"line {number}: {command} gave {answer}"


def script():
    """Yield (command, answer), joining what is broken into lines for reading."""
    lines = SCRIPT.strip().splitlines()
    table = lines.index("00DBA00091DF1F818D01")
    whole = "".join(lines[table : table + 6]).replace(" ", "")
    for line in (*lines[:table], whole, *lines[table + 6 :]):
        command, _, answer = line.partition(" ")
        yield command, answer or "9000"


def test_microsofts_script_for_a_blank_card(make):
    client = make("blank")
    client.card.reset()
    for command, expected in script():
        assert client.raw(command) == expected, command
    # The card is in use now.
    assert client.raw("00DBA01009DF2206000000000000") == "6982"
    assert client.raw("00200080083132333435363738") == "9000"
    assert client.raw("00DBA01009DF2206000000000100") == "9000"


def test_a_ready_made_card_is_what_the_script_makes(make):
    scripted, ready = make("blank"), make(cardid="00112233445566778899AABBCCDDEEFF", pin="12345678")
    for command, _ in script():
        scripted.raw(command)
    areas = [
        {k: v for k, v in c.card.nvm.content().items() if k[0] == "gids"} for c in (scripted, ready)
    ]
    assert areas[0] == areas[1]


def test_first_commands_of_windows(client):
    client.card.reset()
    for command, expected in (
        ("00A4040009A00000039742544659 00", "61124F0BA00000039742544659020173034001C09000"),
        ("00CA7F6800", "6D00"),
        ("00A404000BA000000308000010000100", "6A82"),
        ("00A4000C023FFF", "9000"),
        ("00A4040409A0000003974254465900", "62088201388C030330309000"),
        ("00A4040809A0000003974254465900", "64045F2F01409000"),
        ("00CB3FFF045C027F7300", "6A88"),
        ("00CBA010045C02DF2200", "DF22060000000000009000"),
        ("00CBA010045C02DF2300", "DF23009000"),
        ("00CB2F01025C0000", "4301F4470308 01C0460C" + b"vreader GIDS".hex().upper() + "9000"),
    ):
        assert client.raw(command) == expected.replace(" ", ""), command


def test_a_minidriver_imports_a_key(user):
    """The order in which Windows' minidriver makes a container, in links of 240 bytes."""
    private = rsa.generate_private_key(65537, 2048)
    der = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    guid = "0a2b4c6d-1111-2222-3333-444455556666".encode("utf-16-le").ljust(80, b"\0")

    def put_map(tail):
        record = guid + bytes.fromhex(tail)
        assert user.sw("00DBA010", b"\xdf\x23\x56" + record) == "9000"

    def freshness(counters):
        assert user.raw("00DBA01009DF2206" + counters) == "9000"

    freshness("000000000100")
    put_map("010000000000")
    freshness("000000000200")
    put_map("030000000000")
    freshness("000001000200")
    assert user.create_key(0x81, 0x07) == "9000"
    inner = Tlv.of(0xA5, Tlv(0x83, b"\2"), Tlv(0x84, b"\0"), Tlv(0x87, der))
    data = bytes(Tlv.of(0x70, Tlv(0x84, b"\x81"), inner))
    links = [data[at : at + 240] for at in range(0, len(data), 240)]
    for link in links[:-1]:
        assert user.card.transmit(b"\x10\xdb\x3f\xff" + bytes((len(link),)) + link) == b"\x90\0"
    assert user.sw("00DB3FFF", links[-1]) == "9000"
    assert user.raw("00DBA00010DF200D0101000000079A81B0FFFF0000") == "9000"
    freshness("000001000300")
    put_map("030000000008")
    assert user.public_key(0x81) == private.public_key()
    key = private.public_key()
    for digest_info in (
        "3020300C06082A864886F70D020505000410" + "CC" * 16,
        "3031300D060960864801650304020105000420" + "CC" * 32,
        "3021300906052B0E03021A05000414" + "CC" * 20,
        "CC" * 36,  # TLS: MD5 and SHA-1, no DigestInfo
    ):
        assert user.choose(0xB6, 0x57, 0x81) == "9000"
        signature = user.ok("002A9E9A", bytes.fromhex(digest_info))
        block = pow(int.from_bytes(signature, "big"), 65537, key.public_numbers().n)
        padded = block.to_bytes(256, "big")
        assert padded[:3] == b"\0\1\xff"
        assert padded.endswith(b"\xff\0" + bytes.fromhex(digest_info))
    assert user.choose(0xB8, 0x47, 0x81) == "9000"
    cipher = key.encrypt(b"test1234567890" + bytes(6), padding.PKCS1v15())
    assert user.card.transmit(b"\x10\x2a\x80\x86\xf0" + cipher[:240]) == b"\x90\0"
    assert user.ok("002A8086", cipher[240:]) == b"test1234567890" + bytes(6)
    # Deletion: the file goes, its record is zeroed, nothing is packed.
    freshness("000002000300")
    assert user.sw("00DBA010", b"\xdf\x23\x56" + bytes(86)) == "9000"
    assert user.raw("00A4000C02B081") == "9000"
    assert user.raw("00E40000") == "9000"
    assert user.raw("00CB3FFF0A7008840181A5037F498000") == "6A88"
