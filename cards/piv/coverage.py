# SPDX-License-Identifier: Apache-2.0
"""What of the specification this card has, as data: shown in the documentation, held by a test.

Sections are those of SP 800-73-5 unless another document is named. ``probe`` is how the test asks
the card: the C-APDU of a command (hex), the tag of an object or the number of an algorithm.
"""

from cards.platform.coverage import NO, PARTIAL, YES, Item

ALL, YUBICO = ("5.4.3", "neutral"), ("5.4.3",)

COMMANDS = (
    Item("SELECT", YES, "part 2 §3.1.1", "00A4040009A00000030800001000"),
    Item("GET DATA", YES, "part 2 §3.1.2", "00CB3FFF035C017E00"),
    Item(
        "VERIFY",
        PARTIAL,
        "part 2 §3.2.1",
        "0020008000",
        note="application PIN; no global PIN, no biometric data, no pairing code",
    ),
    Item("CHANGE REFERENCE DATA", YES, "part 2 §3.2.2", "0024008010" + "31" * 16),
    Item("RESET RETRY COUNTER", YES, "part 2 §3.2.3", "002C008010" + "31" * 16),
    Item(
        "GENERAL AUTHENTICATE",
        PARTIAL,
        "part 2 §3.2.4",
        "0087039B047C02810000",
        note="no secure messaging (key establishment)",
    ),
    Item(
        "PUT DATA",
        PARTIAL,
        "part 2 §3.3.1",
        "00DB3FFF075C035FC1025300",
        note="the discovery object is fixed; tags 7E and 7F61 are not accepted as outer tags",
    ),
    Item(
        "GENERATE ASYMMETRIC KEY PAIR",
        PARTIAL,
        "part 2 §3.3.2",
        "0047009A05AC03800111",
        note="the public exponent is 65537",
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
        note="its touch policy is kept and a touch always granted",
    ),
    Item("IMPORT ASYMMETRIC KEY", YES, "Yubico", "00FE119A22" + "0620" + "11" * 32, YUBICO),
    Item("ATTEST", PARTIAL, "Yubico", "00F99A00", YUBICO, "no chain to Yubico's root"),
    Item("RESET", YES, "Yubico", "00FB0000", YUBICO),
    Item("SET PIN RETRIES", YES, "Yubico", "00FA0303", YUBICO),
    Item("MOVE KEY, DELETE KEY", NO, "Yubico, firmware 5.7", "00F6829A"),
    Item("SELECT, READ CONFIG of the management application", YES, "Yubico", "", YUBICO),
    Item("WRITE CONFIG, DEVICE RESET of the management application", NO, "Yubico"),
)

OBJECTS = (
    Item("Card Capability Container", YES, "part 1 §3.1", "5FC107"),
    Item("Card Holder Unique Identifier", YES, "part 1 §3.1", "5FC102"),
    Item("X.509 Certificate for PIV Authentication", YES, "part 1 §3.1", "5FC105"),
    Item("Cardholder Fingerprints", YES, "part 1 §3.1", "5FC103"),
    Item("Security Object", YES, "part 1 §3.1", "5FC106"),
    Item("Cardholder Facial Image", YES, "part 1 §3.1", "5FC108"),
    Item("X.509 Certificate for Card Authentication", YES, "part 1 §3.1", "5FC101"),
    Item("X.509 Certificate for Digital Signature", YES, "part 1 §3.2", "5FC10A"),
    Item("X.509 Certificate for Key Management", YES, "part 1 §3.2", "5FC10B"),
    Item("Printed Information", YES, "part 1 §3.3", "5FC109"),
    Item("Discovery Object", YES, "part 1 §3.3.2", "7E", note="policy 4000, not writable"),
    Item("Key History Object", YES, "part 1 §3.3", "5FC10C"),
    Item(
        "Retired X.509 Certificates 1 to 20",
        YES,
        "part 1 §3.3",
        "5FC10D",
        note="to 5FC120",
    ),
    Item("Cardholder Iris Images", YES, "part 1 §3.3", "5FC121"),
    Item("BIT Group Template", PARTIAL, "part 1 §3.3", "7F61", note="returned inside tag 53"),
    Item(
        "Secure Messaging Certificate Signer",
        PARTIAL,
        "part 1 §3.3",
        "5FC122",
        note="can be stored; there is no secure messaging",
    ),
    Item(
        "Pairing Code Reference Data Container",
        PARTIAL,
        "part 1 §3.3",
        "5FC123",
        note="can be stored; never readable, as there is no virtual contact interface",
    ),
    Item("Attestation certificate", YES, "Yubico", "5FFF01", YUBICO),
    Item("Admin data", YES, "Yubico", "5FFF00", YUBICO),
    Item("Any other object 5F0000 to 5FFFFF", YES, "Yubico", "5F0001", YUBICO),
)

KEY_ALGORITHMS = (
    Item("RSA-1024", YES, "SP 800-78-4 table 6-2", "06"),
    Item("RSA-2048", YES, "SP 800-78-5 table 9", "07"),
    Item("RSA-3072", NO, "SP 800-78-5 table 9", "05"),
    Item("RSA-4096", NO, "Yubico, firmware 5.7", "16"),
    Item("ECC P-256", YES, "SP 800-78-5 table 9", "11"),
    Item("ECC P-384", YES, "SP 800-78-5 table 9", "14"),
    Item("Ed25519", NO, "Yubico, firmware 5.7", "E0"),
    Item("X25519", NO, "Yubico, firmware 5.7", "E1"),
)

MANAGEMENT_ALGORITHMS = (
    Item("3DES", YES, "SP 800-78-4 table 6-2", "03"),
    Item("AES-128", YES, "SP 800-78-5 table 9", "08", YUBICO),
    Item("AES-192", YES, "SP 800-78-5 table 9", "0A", YUBICO),
    Item("AES-256", YES, "SP 800-78-5 table 9", "0C", YUBICO),
)

RULES = (
    Item("Retry counters of PIN and PUK", YES, "part 2 §3.2"),
    Item("PIN policy of each key, once, always, never", YES, "part 1 table 5"),
    Item("Touch policies", PARTIAL, "Yubico", "", YUBICO, "kept and told; always granted"),
    Item("Global PIN", NO, "part 1 §3.3.2"),
    Item("Secure messaging and virtual contact interface", NO, "part 2"),
    Item("Contactless interface rules", NO, "part 1 table 2"),
)

TABLES = {
    "Commands": COMMANDS,
    "Data objects": OBJECTS,
    "Key algorithms": KEY_ALGORITHMS,
    "Algorithms of the management key": MANAGEMENT_ALGORITHMS,
    "Rules": RULES,
}
