# SPDX-License-Identifier: Apache-2.0
"""What of the specification this card has, as data: shown in the documentation, held by a test.

Sections are those of SP 800-73-5 unless another document is named. ``probe`` is how the test asks
the card: the C-APDU of a command (hex), the tag of an object or the number of an algorithm.
"""

from cards.platform.coverage import NO, PARTIAL, YES, Item

ALL, YUBICO, SINCE_5_7 = ("5.4.3", "5.7.1", "neutral"), ("5.4.3", "5.7.1"), ("5.7.1",)
NEUTRAL = ("neutral",)

COMMANDS = (
    Item("SELECT", YES, "part 2 §3.1.1", "00A4040009A00000030800001000"),
    Item("GET DATA", YES, "part 2 §3.1.2", "00CB3FFF035C017E00"),
    Item(
        "VERIFY",
        YES,
        "part 2 §3.2.1",
        "0020008000",
        note="PIN; on a neutral card also global PIN and pairing code",
    ),
    Item("VERIFY of fingerprints (on-card comparison, 96 and 97)", NO, "part 2 §3.2.1"),
    Item("CHANGE REFERENCE DATA", YES, "part 2 §3.2.2", "0024008010" + "31" * 16),
    Item("RESET RETRY COUNTER", YES, "part 2 §3.2.3", "002C008010" + "31" * 16),
    Item(
        "GENERAL AUTHENTICATE",
        PARTIAL,
        "part 2 §3.2.4",
        "0087039B047C02810000",
        note="no key establishment with the secure messaging key 04: 6A86",
    ),
    Item(
        "PUT DATA",
        YES,
        "part 2 §3.3.1",
        "00DB3FFF075C035FC1025300",
        note="7E and 7F61 in their own tag on a neutral card, as YubiKeys do it on others",
    ),
    Item(
        "GENERATE ASYMMETRIC KEY PAIR",
        YES,
        "part 2 §3.3.2",
        "0047009A05AC03800111",
        note="a public exponent, if one is named, is 65537 (SP 800-78-5 §3.1)",
    ),
    Item("GET RESPONSE", YES, "ISO/IEC 7816-4 §5.3.4"),
    Item("command chaining", YES, "ISO/IEC 7816-4 §5.3.3"),
    Item("logical channels", YES, "ISO/IEC 7816-4 §11.1.2", "0070000001", ("neutral",)),
    Item("GET VERSION", YES, "Yubico", "00FD0000", YUBICO),
    Item("GET SERIAL", YES, "Yubico", "00F80000", YUBICO),
    Item("GET METADATA", YES, "Yubico", "00F70080", YUBICO),
    Item(
        "SET MANAGEMENT KEY",
        YES,
        "Yubico",
        "00FFFFFF1B039B18" + "0102030405060709" * 3,
        YUBICO,
        note="touch policies FF, FE and FD in P2",
    ),
    Item("IMPORT ASYMMETRIC KEY", YES, "Yubico", "00FE119A22" + "0620" + "11" * 32, YUBICO),
    Item(
        "ATTEST",
        PARTIAL,
        "Yubico",
        "00F99A00",
        YUBICO,
        "the attestation certificate is signed by itself, not by Yubico's root",
    ),
    Item("RESET", YES, "Yubico", "00FB0000", YUBICO),
    Item("SET PIN RETRIES", YES, "Yubico", "00FA0303", YUBICO),
    Item("MOVE KEY, DELETE KEY", YES, "Yubico, firmware 5.7", "00F6829A", SINCE_5_7),
    Item("SELECT, READ CONFIG of the management application", YES, "Yubico", "", YUBICO),
    Item(
        "WRITE CONFIG of the management application",
        PARTIAL,
        "Yubico",
        "",
        YUBICO,
        "PIV on and off over NFC and the lock code take effect, the rest is kept and told",
    ),
    Item(
        "DEVICE RESET of the management application",
        YES,
        "Yubico, firmware 5.7",
        "",
        SINCE_5_7,
        "of the keys that are sold the Bio series alone has it",
    ),
)

OBJECTS = (
    Item("Card Capability Container", YES, "part 1 §3.1", "5FC107"),
    Item("Card Holder Unique Identifier", YES, "part 1 §3.1", "5FC102"),
    Item("X.509 Certificate for PIV Authentication", YES, "part 1 §3.1", "5FC105"),
    Item("Cardholder Fingerprints", YES, "part 1 §3.1", "5FC103"),
    Item("Security Object", YES, "part 1 §3.1", "5FC106"),
    Item("Cardholder Facial Image", YES, "part 1 §3.1", "5FC108"),
    Item("X.509 Certificate for Card Authentication", YES, "part 1 §3.1", "5FC101"),
    Item("X.509 Certificate for Digital Signature", YES, "part 1 §3.2.1", "5FC10A"),
    Item("X.509 Certificate for Key Management", YES, "part 1 §3.2.2", "5FC10B"),
    Item("Printed Information", YES, "part 1 §3.3.1", "5FC109"),
    Item("Discovery Object", YES, "part 1 §3.3.2", "7E", note="a YubiKey's is fixed, policy 4000"),
    Item("Key History Object", YES, "part 1 §3.3.3", "5FC10C"),
    Item(
        "Retired X.509 Certificates 1 to 20",
        YES,
        "part 1 §3.3.4",
        "5FC10D",
        note="to 5FC120",
    ),
    Item("Cardholder Iris Images", YES, "part 1 §3.3.5", "5FC121"),
    Item("BIT Group Template", YES, "part 1 §3.3.6", "7F61", note="inside tag 53 on YubiKeys"),
    Item(
        "Secure Messaging Certificate Signer",
        YES,
        "part 1 §3.3.7",
        "5FC122",
        note="stored and read; there is no secure messaging that would need it",
    ),
    Item("Pairing Code Reference Data Container", YES, "part 1 §3.3.8", "5FC123"),
    Item("Attestation certificate", YES, "Yubico", "5FFF01", YUBICO),
    Item("Admin data", YES, "Yubico", "5FFF00", YUBICO),
    Item("Any other object 5F0000 to 5FFFFF", YES, "Yubico", "5F0001", YUBICO),
)

KEY_ALGORITHMS = (
    Item("RSA-1024", YES, "SP 800-78-4 table 6-2", "06"),
    Item("RSA-2048", YES, "SP 800-78-5 table 9", "07"),
    Item("RSA-3072", YES, "SP 800-78-5 table 9", "05", ("5.7.1", "neutral")),
    Item("RSA-4096", YES, "Yubico, firmware 5.7", "16", SINCE_5_7),
    Item("ECC P-256", YES, "SP 800-78-5 table 9", "11"),
    Item("ECC P-384", YES, "SP 800-78-5 table 9", "14"),
    Item("Ed25519", YES, "Yubico, firmware 5.7", "E0", SINCE_5_7),
    Item("X25519", YES, "Yubico, firmware 5.7", "E1", SINCE_5_7),
)

MANAGEMENT_ALGORITHMS = (
    Item(
        "3DES",
        YES,
        "SP 800-78-4 table 6-2",
        "03",
        note="a card of 5.7.1 is made with an AES-192 key of the same bytes",
    ),
    Item("AES-128", YES, "SP 800-78-5 table 9", "08"),
    Item("AES-192", YES, "SP 800-78-5 table 9", "0A"),
    Item("AES-256", YES, "SP 800-78-5 table 9", "0C"),
)

RULES = (
    Item("Retry counters of PIN, global PIN and PUK", YES, "part 2 §3.2"),
    Item("PINs are 6 to 8 digits", YES, "part 2 §2.4.3", profiles=NEUTRAL),
    Item("PIN policy of each key, once, always, never", YES, "part 1 §5.1"),
    Item("Security status at SELECT: kept by itself and a failure", YES, "part 2 §3.1.1"),
    Item("Read rules of the data objects", YES, "part 1 table 2"),
    Item("Guaranteed capacity of every container", YES, "part 1 appendix A", profiles=NEUTRAL),
    Item(
        "Touch policies",
        PARTIAL,
        "Yubico",
        "",
        YUBICO,
        "scripted with the option touch; a touch that does not come is refused at once, 6982",
    ),
    Item(
        "PIN complexity",
        PARTIAL,
        "Yubico, firmware 5.7",
        "",
        SINCE_5_7,
        "off, unless the card is made with pin-complexity=yes; a short list of trivial values",
    ),
    Item("Global PIN, PIN usage policy", YES, "part 1 §3.3.2, §5.1", profiles=NEUTRAL),
    Item("Pairing code", YES, "part 1 §5.1.3, part 2 §3.2.1", profiles=NEUTRAL),
    Item(
        "Secure messaging and virtual contact interface",
        NO,
        "part 2 §4",
        note="optional; a command with secure messaging gets 6882",
    ),
    Item(
        "Contactless interface rules",
        YES,
        "part 1 table 2, §5.1; part 2 table 2",
        profiles=NEUTRAL,
        note="with interface=nfc; a YubiKey answers over NFC as it does over USB",
    ),
)

TABLES = {
    "Commands": COMMANDS,
    "Data objects": OBJECTS,
    "Key algorithms": KEY_ALGORITHMS,
    "Algorithms of the management key": MANAGEMENT_ALGORITHMS,
    "Rules": RULES,
}
