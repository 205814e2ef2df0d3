# SPDX-License-Identifier: Apache-2.0
"""What of the specification this card has, as data: shown in the documentation, held by a test.

GIDS refers to ISO/IEC 7816-4, -8 and -9 for its commands.
``probe`` is how the test asks the card: the C-APDU of a command (hex), the EF and data object of a
file, the algorithm reference of a key.
"""

from cards.platform.coverage import NO, PARTIAL, YES, Item

_INBOX = "Microsoft, Windows inbox smart card minidriver"

COMMANDS = (
    Item("SELECT by AID", YES, "ISO/IEC 7816-4", note="FCI, FCP and FMD by P2"),
    Item("SELECT by file identifier", YES, "ISO/IEC 7816-4", "00A4000C023FFF"),
    Item("GET DATA", YES, "ISO/IEC 7816-4", "00CBA010045C02DF2200"),
    Item("GET DATA of a public key", YES, "ISO/IEC 7816-4", "00CB3FFF0A7008840181A5037F498000"),
    Item("PUT DATA", YES, "ISO/IEC 7816-4", "00DBA01009DF2206000000000000"),
    Item("PUT DATA of the admin key", YES, _INBOX, "00DB3FFF217022840180A51D8718" + "12" * 24),
    Item(
        "PUT DATA of a private key",
        PARTIAL,
        _INBOX,
        "00DB3FFF11700F840181A50A83010284010087023000",
        note="RSA as OpenSC and Microsoft send it; the form for curves is not public, "
        "RFC 5915 is taken",
    ),
    Item("CREATE FILE", YES, "ISO/IEC 7816-9", "00E000000E620C8201398302A0508C03033000"),
    Item("ACTIVATE FILE", YES, "ISO/IEC 7816-9", "00440000"),
    Item("DELETE FILE", YES, "ISO/IEC 7816-9", "00E40000"),
    Item("TERMINATE DF", YES, "ISO/IEC 7816-9", "00E60000", note="the admin may"),
    Item("VERIFY", YES, "ISO/IEC 7816-4", "0020008000", note="P2 = 82 ends all authentication"),
    Item("CHANGE REFERENCE DATA", YES, "ISO/IEC 7816-4", "002400800C313233343536363534333231"),
    Item("RESET RETRY COUNTER", YES, "ISO/IEC 7816-4", "002C028006313233343536"),
    Item(
        "MANAGE SECURITY ENVIRONMENT",
        PARTIAL,
        "ISO/IEC 7816-4",
        "0022C1A403830180",
        note="SET of A4, B6 and B8; no STORE, RESTORE, ERASE",
    ),
    Item("PSO: COMPUTE DIGITAL SIGNATURE", YES, "ISO/IEC 7816-8", "002A9E9A0100"),
    Item("PSO: DECIPHER", YES, "ISO/IEC 7816-8", "002A80860100"),
    Item("GENERATE ASYMMETRIC KEY PAIR", YES, "ISO/IEC 7816-8", "0047000008AC06800106830181"),
    Item("GENERAL AUTHENTICATE", YES, "ISO/IEC 7816-4", "00870000047C02810000"),
    Item("GET CHALLENGE", YES, "ISO/IEC 7816-4", "0084000008"),
    Item("GET RESPONSE", YES, "ISO/IEC 7816-4 §5.3.4"),
    Item("command chaining", YES, "ISO/IEC 7816-4 §5.3.3"),
    Item("extended length", YES, "ISO/IEC 7816-4"),
    Item("logical channels", NO, "ISO/IEC 7816-4", "0070000001"),
    Item("READ BINARY", NO, "ISO/IEC 7816-4", "00B0000000", note="GIDS files hold data objects"),
)

OBJECTS = (
    Item("EF.ATR", YES, "ISO/IEC 7816-4", "2F01 46", note="capabilities and a name"),
    Item("PIN status", YES, _INBOX, "3FFF 7F71"),
    Item("PUK status", YES, _INBOX, "3FFF 7F73", note="only with a PUK"),
    Item("file table", YES, _INBOX, "A000 DF1F"),
    Item("key map", YES, _INBOX, "A000 DF20", note="once there is a key"),
    Item("cardid", YES, _INBOX, "A012 DF20"),
    Item("cardapps", YES, _INBOX, "A010 DF21"),
    Item("cardcf", YES, _INBOX, "A010 DF22"),
    Item("cmapfile", YES, _INBOX, "A010 DF23"),
    Item("kxcNN, kscNN", YES, _INBOX, "A010 DF24", note="and on; compressed as Windows does"),
)

KEY_ALGORITHMS = (
    Item("RSA-1024", YES, "GIDS", "06"),
    Item("RSA-2048", YES, "GIDS", "07"),
    Item("RSA-3072", YES, "GIDS", "08"),
    Item("RSA-4096", YES, "GIDS", "09"),
    Item("ECC P-192", NO, "GIDS", "0A"),
    Item("ECC P-224", NO, "GIDS", "0B"),
    Item("ECC P-256", PARTIAL, "GIDS", "0C", note="ECDSA, answered as r and s; OpenSC uses RSA"),
    Item("ECC P-384", PARTIAL, "GIDS", "0D", note="as P-256"),
    Item("ECC P-521", PARTIAL, "GIDS", "0E", note="as P-256"),
)

USES = (
    Item("Signature, PKCS #1 v1.5", YES, "GIDS, 5x"),
    Item("Signature, padded by the host (PSS)", YES, "GIDS, 1x"),
    Item("Deciphering, PKCS #1 v1.5", YES, "GIDS, 4x"),
    Item("Deciphering, OAEP", YES, "GIDS, 8x", note="with SHA-1"),
    Item("Deciphering, raw", YES, "GIDS, 0x"),
    Item("ECDH", NO, "GIDS", note="the command is not public"),
)

RULES = (
    Item("Life cycle: creation, operational, terminated", YES, "ISO/IEC 7816-4"),
    Item(
        "Access rules in compact form",
        PARTIAL,
        "ISO/IEC 7816-4",
        note="user, admin, any or all of them, contact interface; no secure messaging",
    ),
    Item("Retry counters of PIN and PUK", YES, "ISO/IEC 7816-4"),
    Item(
        "Admin key, external and mutual authentication",
        YES,
        "ISO/IEC 7816-4",
        note="3DES; wrong answers are not counted",
    ),
    Item(
        "Key check value of the admin key",
        PARTIAL,
        _INBOX,
        note="checked, except that B073DC goes with every key: OpenSC sends no other",
    ),
    Item("AES admin key", NO, "GIDS"),
    Item("Secure messaging", NO, "ISO/IEC 7816-4"),
)

TABLES = {
    "Commands": COMMANDS,
    "Files and data objects": OBJECTS,
    "Key algorithms": KEY_ALGORITHMS,
    "Uses of keys": USES,
    "Rules": RULES,
}
