# SPDX-License-Identifier: Apache-2.0
"""A purse: an applet on the card platform, with a PIN and a balance that outlives the power.

00 A4 04 00   SELECT F0707572736531
00 20 00 01   VERIFY the PIN, 4 to 8 bytes
80 50 00 00   GET BALANCE: 4 bytes
80 52 00 00   PAY 4 bytes; needs the PIN
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cards.platform import Applet, AppletCard, Area, Nvm, Pin, Refuse
from cards.platform.kind import AppletKind
from vreader.card import Card, Description
from vreader.errors import UsageError
from vreader.iso7816 import SW, CommandApdu

AID = bytes.fromhex("F0707572736531")
ATR = bytes.fromhex("3B80800101")
VERIFY, GET_BALANCE, PAY = 0x20, 0x50, 0x52


class Verify(NamedTuple):
    """VERIFY: compare the PIN."""

    pin: bytes

    def __repr__(self) -> str:
        return "Verify()"  # a PIN belongs into no log and no traceback


class GetBalance(NamedTuple):
    """GET BALANCE."""


class Pay(NamedTuple):
    """PAY: take an amount out of the purse."""

    amount: int


PurseCommand = Verify | GetBalance | Pay


class PurseApplet(Applet[PurseCommand]):
    """Parse, gate, execute; chaining, GET RESPONSE, SELECT and Le are the platform's affair."""

    aid = AID
    proprietary_class = True  # GET BALANCE and PAY have class 80

    def __init__(self, area: Area) -> None:
        self.area = area
        self.pin = Pin(area, "pin")
        self.verified = False

    def reset(self) -> None:
        """Drop the security status."""
        self.verified = False

    def parse(self, apdu: CommandApdu) -> PurseCommand:
        """Know P1, P2 and Lc, here and nowhere else."""
        match apdu.cla, apdu.ins, apdu.p1, apdu.p2, len(apdu.data):
            case 0x00, 0x20, 0, 1, length if 4 <= length <= 8:
                return Verify(apdu.data)
            case 0x80, 0x50, 0, 0, 0:
                return GetBalance()
            case 0x80, 0x52, 0, 0, 4:
                return Pay(int.from_bytes(apdu.data))
        known = (apdu.cla, apdu.ins) in ((0x00, VERIFY), (0x80, GET_BALANCE), (0x80, PAY))
        raise Refuse(SW.INCORRECT_P1P2 if known else SW.INS_NOT_SUPPORTED)

    def gate(self, command: PurseCommand) -> None:
        """Ask for rights, here and nowhere else."""
        if isinstance(command, Pay) and not self.verified:
            raise Refuse(SW.SECURITY_STATUS_NOT_SATISFIED)

    def execute(self, command: PurseCommand) -> bytes:
        """Do it; what is written is committed before the answer leaves."""
        match command:
            case Verify(pin):
                self.verified = False
                self.pin.check(pin)
                self.verified = True
            case GetBalance():
                return self.area.get("balance") or bytes(4)
            case Pay(amount):
                left = int.from_bytes(self.area.get("balance") or b"") - amount
                if left < 0:
                    raise Refuse(SW.CONDITIONS_NOT_SATISFIED)
                self.area.put("balance", left.to_bytes(4))
        return b""


class PurseKind(AppletKind):
    """What ``--card purse``, ``vreader card`` and the trace need to know."""

    name = "purse"
    summary = "a purse with a PIN"
    aids: Sequence[bytes] = (AID,)
    PROFILES: Mapping[str, str] = {"plain": "100 units inside"}
    OPTIONS: Mapping[str, str] = {"pin": "4 to 8 bytes [1234]", "balance": "units [100]"}

    def initialise(
        self, nvm: Nvm, profile: str, options: Mapping[str, str], seed: bytes | None
    ) -> None:
        """Write a new card into an empty memory."""
        pin, balance = options.get("pin", "1234"), options.get("balance", "100")
        if not 4 <= len(pin.encode()) <= 8 or not balance.isdecimal() or int(balance) >= 1 << 32:
            raise UsageError("pin or balance cannot be used", hint="pin=1234,balance=100")
        area = nvm.area("purse")
        area.put("balance", int(balance).to_bytes(4))
        Pin(area, "pin").create(pin.encode(), 3)

    def build(self, nvm: Nvm, profile: str) -> AppletCard:
        """Say what the card carries: called at every start."""
        return self.assemble(nvm, ATR, lambda: [PurseApplet(nvm.area("purse"))])

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Tell what ``vreader card info`` shows."""
        assert isinstance(card, AppletCard)
        balance = card.nvm.area("purse").get("balance") or b""
        return [("balance", str(int.from_bytes(balance)))]

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Say what a command means, and which of its bytes nobody may see."""
        match c_apdu[1:2]:
            case b"\x20":
                return Description("VERIFY", secret=((5, len(c_apdu)),))
            case b"\x50":
                return Description("GET BALANCE")
            case b"\x52":
                return Description("PAY")
        return Description("")


KIND = PurseKind()
