# SPDX-License-Identifier: Apache-2.0
"""The surface of a GIDS card: APDUs to the card object."""

from surfaces import Apdus

COMMANDS = [
    bytes.fromhex(text)
    for text in (
        "00A4040009A0000003974254465900", "00A4000C023FFF", "00A4000402A01000", "00A4000C02B081",
        "00CBA000045C02DF1F00", "00CBA010045C02DF2200", "00CBA010025C0000", "00CB2F01025C0000",
        "00CB3FFF045C027F7100", "00CB3FFF0A7008840181A5037F498000", "00DBA01009DF2206000000000100",
        "10DBA01004DF220600", "00DBA0100500000001AA", "00E000000E620C8201398302A0508C03033000",
        "00E000002862268201188302B0818C058F10101000A516B609800117830181950140B60980015C830181950140",
        "0044000000", "00440000", "00E40000", "00E60000", "0020008000", "0020008006313233343536",
        "0020008006393939393939", "00200082", "002400800C313233343536363534333231",
        "0024018006313233343536", "00240081103837363534333231" + "3132333435363738",
        "002C028006313233343536", "002C00800E3837363534333231313233343536", "0022C1A403830180",
        "002281A403830180", "002241B60680015C840181", "002241B806800147840181",
        "002A9E9A0411223344", "002A80860411223344", "0047000008AC0680010C83018100",
        "00870000047C02810000", "008700000C7C0A82081122334455667788", "0084000008",
        "00870000147C128110" + "11" * 16 + "00", "008700002C7C2A8228" + "22" * 40 + "00",
        "00DB3FFF267024840180A51F8718" + "0102030405060708" * 3 + "8803B073DC",
        "00DB3FFF11700F840181A50A83010284010087023000", "00C0000000", "0070000001", "FFFFFFFF",
    )
]  # fmt: skip


class GidsApdus(Apdus):
    """APDUs to a GIDS card with PIN, PUK and admin key."""

    name = "apdu-gids"
    SELECT = COMMANDS[0]
    COMMANDS = COMMANDS
    INNOCENT = bytes.fromhex("00CB3FFF045C027F7100")
    WORKS = (b"\x90\x00", b"\x69\x85")  # the latter after a termination

    def new_card(self) -> object:
        from cards.gids import KIND
        from vreader.card import MemoryStore

        return KIND.create("windows", {"puk": "87654321"}, MemoryStore(), b"soak")

    def take_rights(self) -> None:
        security = self.card.applications[0].state.security
        security.admin = security.user = True

    def tries(self) -> tuple[int, ...]:
        area = self.card.nvm.area("gids")
        found = (area.get("pin.tries"), area.get("puk.tries"))
        return tuple(tries[0] for tries in found if tries)
