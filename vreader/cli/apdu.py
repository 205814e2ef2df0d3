# SPDX-License-Identifier: Apache-2.0
"""``vreader apdu``: send APDUs through PC/SC and check the answers, in a small language.

It speaks libpcsclite's protocol itself, so it needs no library: the world's socket, or that of a
real pcscd.
"""

import re
from argparse import Namespace

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.find import find_card, service_socket
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError
from vreader.iso7816 import ApduError, CommandApdu, ResponseApdu
from vreader.iso7816.apdu import MAX_NC, MAX_NE

_SHARED, _T0_OR_T1 = 2, 3
_HEX = "[0-9A-Fa-f]"
_APDU = re.compile(
    rf"(?P<header>{_HEX}{{2,8}})(?::(?P<data>{_HEX}*))?(?:/(?P<le>{_HEX}{{2}}|{_HEX}{{4}}))?"
    rf"(?P<check>=(?P<sw>[0-9A-Fa-fXx]{{4}})?)?"
)


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Send APDUs to a card and print the answers.

    APDU is [CLA]INS[P1P2][:DATA][/LE][=[SW]] in hexadecimal. Two digits are an
    INS, four CLA and INS, six INS P1 P2, eight all four; what is left out is
    00, and spaces do not matter. =SW checks the status word, X matches any
    digit, = alone is =9000; the first mismatch ends with exit code 1. Long
    answers are fetched by GET RESPONSE.

      vreader run -- vreader apdu 00A40400:A000000308/00=9000 00200080=63CX
      vreader apdu 00A40400:A000000308= 00CB3FFF:5C035FC102/00
    """)
    add = parser.add_argument
    add("apdus", metavar="APDU", nargs="+", help="what to send, in order")
    add("--reader", metavar="NAME", help="part of the reader's name [the first with a card]")


def run(options: Namespace) -> int:
    """Send the APDUs."""
    apdus: list[str] = options.apdus
    reader: str | None = options.reader
    wanted = [parse(text) for text in apdus]
    with PcscClient(service_socket()) as client:
        client.establish()
        name = find_card(client, reader or "")
        hcard, protocol = client.connect(name, _SHARED, _T0_OR_T1)
        for c_apdu, expected in wanted:
            r_apdu = exchange(client, hcard, protocol, c_apdu)
            say(f"> {bytes(c_apdu).hex(' ').upper()}")
            if r_apdu.data:
                say(f"< {r_apdu.data.hex(' ').upper()}")
            say(f"< {r_apdu.sw!s}")
            if expected and not re.fullmatch(expected, f"{r_apdu.sw:04X}"):
                say(f"vreader: SW is {r_apdu.sw:04X}, not {expected.replace('.', 'X')}",
                           err=True)  # fmt: skip
                return 1
        client.disconnect(hcard)
    return 0


def parse(text: str) -> tuple[CommandApdu, str]:
    """Read one APDU of the language; return it and a pattern its status word must match.

    Raises:
        UsageError: it is not one.
    """
    match = _APDU.fullmatch(text.replace(" ", ""))
    header = match["header"] if match else ""
    if match is None or len(header) not in (2, 4, 6, 8) or len(match["data"] or "") % 2:
        raise UsageError(
            f"{text!r} is not an APDU",
            hint="write [CLA]INS[P1P2][:DATA][/LE][=[SW]], for example 00A40400:A000000308/00=9000",
        )
    if len(header) in (2, 6):
        header = "00" + header
    cla, ins, p1, p2 = bytes.fromhex(header.ljust(8, "0"))
    le = match["le"]
    ne = 0
    if le is not None:
        ne = int(le, 16) or (256 if len(le) == 2 else 65536)
    data = bytes.fromhex(match["data"] or "")
    if len(data) > MAX_NC:
        raise UsageError(
            f"an APDU carries at most {MAX_NC} bytes of data, not {len(data)}",
            hint="send it in parts, with CLA 10 in all but the last",
        )
    sw = (match["sw"] or "9000") if match["check"] else ""
    extended = le is not None and len(le) > 2
    return CommandApdu(cla, ins, p1, p2, data, ne, extended), sw.upper().replace("X", ".")


def exchange(client: PcscClient, hcard: int, protocol: int, c_apdu: CommandApdu) -> ResponseApdu:
    """Send a command and fetch all of its answer."""
    r_apdu = _transmit(client, hcard, protocol, bytes(c_apdu))
    data = r_apdu.data
    while r_apdu.sw >> 8 == 0x61 and len(data) < MAX_NE:
        get_response = bytes((c_apdu.cla & ~0x10, 0xC0, 0, 0, r_apdu.sw & 0xFF))
        r_apdu = _transmit(client, hcard, protocol, get_response)
        if not r_apdu.data:
            break  # a card that promises and does not give would keep us for ever
        data += r_apdu.data
    return ResponseApdu(data[:MAX_NE], r_apdu.sw)


def _transmit(client: PcscClient, hcard: int, protocol: int, command: bytes) -> ResponseApdu:
    raw = client.transmit(hcard, protocol, command)
    try:
        return ResponseApdu.parse(raw)
    except ApduError as error:
        raise VreaderError(
            f"the answer to {command[:4].hex(' ').upper()} is none: {error}",
            hint="was the card removed at work, or does it answer nonsense?",
        ) from error
