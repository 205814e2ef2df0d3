# SPDX-License-Identifier: Apache-2.0
"""A toy application for tests of the card platform, and short words to talk to it."""

from cards.platform import Applet, Refuse
from vreader.iso7816 import SW, CommandApdu

AID_A = bytes.fromhex("A0000000010101")
AID_B = bytes.fromhex("A0000000010102")
ATR = bytes.fromhex("3B80800101")
BUG = 0x18


class Toy(Applet[CommandApdu]):
    """INS 10 echoes, 12 marks the session, 14 gives P1P2 bytes, 16 refuses, 18 breaks, 1A writes,
    1C tells whether the session is marked, 1E the class byte it sees."""

    def __init__(self, aid, area, proprietary=False):
        self.aid, self.area, self.proprietary_class = aid, area, proprietary
        self.marked = False
        self.seen = []

    def select(self, wanted):
        return b"I am " + self.aid[-1:].hex().encode()

    def reset(self):
        self.marked = False

    def parse(self, apdu):
        self.seen.append(apdu)
        return apdu

    def execute(self, command):
        match command.ins:
            case 0x10:
                return command.data
            case 0x12:
                self.marked = True
                return b""
            case 0x14:
                return bytes(i & 0xFF for i in range(command.p1 << 8 | command.p2))
            case 0x16:
                self.area.put("x", b"never")
                raise Refuse(SW.WRONG_DATA)
            case 0x18:
                self.area.put("x", b"never")
                raise ZeroDivisionError("a bug")
            case 0x1A:
                self.area.put("x", command.data)
                return b""
            case 0x1C:
                return bytes((self.marked,))
            case 0x1E:
                return bytes((command.cla,))
            case _:
                raise Refuse(SW.INS_NOT_SUPPORTED)


def send(card, text):
    """Send hex, return hex."""
    return card.transmit(bytes.fromhex(text)).hex().upper()


def select(card, aid=AID_A, cla=0):
    """SELECT by name; return the answer."""
    return card.transmit(bytes((cla, 0xA4, 4, 0, len(aid))) + aid)
