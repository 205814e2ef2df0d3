# SPDX-License-Identifier: Apache-2.0
"""A GIDS card with a client's hands: chaining, GET RESPONSE and the two authentications.

The client computes everything with cryptography, never with the card's own code.
"""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from cards.gids import KIND
from vreader.card import MemoryStore
from vreader.iso7816 import Tlv

ADMIN_KEY = bytes(range(1, 9)) * 3
CURVES = {65: ec.SECP256R1(), 97: ec.SECP384R1(), 133: ec.SECP521R1()}


def tdes(key, data, *, decrypt=False):
    cipher = Cipher(TripleDES(key), modes.CBC(bytes(8)))
    worker = cipher.decryptor() if decrypt else cipher.encryptor()
    return worker.update(data) + worker.finalize()


class Client:
    """Talks short APDUs to a card on which GIDS is selected."""

    def __init__(self, card):
        self.card = card
        card.power_on()
        self.select()

    def select(self):
        return self.raw("00A4040009A0000003974254465900")

    def raw(self, text):
        """Send hex, return hex."""
        return self.card.transmit(bytes.fromhex(text)).hex().upper()

    def send(self, text, data=b"", le=b"\0"):
        """Send header and data as a chain; return all the response data and the SW in hex."""
        raw = bytes.fromhex(text)
        header, data = raw[:4], raw[5 : 5 + raw[4]] + data if len(raw) > 4 else data
        while len(data) > 255:
            link = bytes((header[0] | 0x10,)) + header[1:] + b"\xff" + data[:255]
            answer = self.card.transmit(link)
            if answer != b"\x90\x00":
                return b"", answer.hex().upper()
            data = data[255:]
        answer = self.card.transmit(header + (bytes((len(data),)) + data if data else b"") + le)
        collected = answer[:-2]
        while answer[-2] == 0x61:
            answer = self.card.transmit(b"\0\xc0\0\0" + answer[-1:])
            collected += answer[:-2]
        return collected, answer[-2:].hex().upper()

    def sw(self, text, data=b"", le=b""):
        return self.send(text, data, le)[1]

    def ok(self, text, data=b""):
        answer, sw = self.send(text, data)
        assert sw == "9000", f"{text} gave {sw}"
        return answer

    def verify(self, pin=b"123456"):
        return self.sw("00200080", pin)

    def external(self, key=ADMIN_KEY, reference="80"):
        """External authentication, as a minidriver does it; return the SW."""
        assert self.raw("002281A4038301" + reference) == "9000"
        challenge = Tlv.parse(self.ok("00870000", bytes.fromhex("7C028100")))
        answer = Tlv.of(0x7C, Tlv(0x82, tdes(key, challenge.find(0x81).value)))
        return self.sw("00870000", bytes(answer))

    def mutual(self, key=ADMIN_KEY):
        """Mutual authentication, as gids-tool does it; return the SW."""
        assert self.raw("0022C1A403830180") == "9000"
        ours = bytes(range(16))
        start = bytes(Tlv.of(0x7C, Tlv(0x81, ours)))
        theirs = Tlv.parse(self.ok("00870000", start)).find(0x81).value
        token = tdes(key, theirs + ours + bytes(7) + b"\x80")
        answer, sw = self.send("00870000", bytes(Tlv.of(0x7C, Tlv(0x82, token))))
        if sw == "9000":
            proof = tdes(key, Tlv.parse(answer).find(0x82).value, decrypt=True)
            assert (proof[:16], proof[16:32], proof[-1]) == (ours, theirs, 0x80)
        return sw

    def create_key(self, reference, algorithm, paddings="B800 B880 B840 B610 B650"):
        """Create and activate a key EF; return the SW of the first command that fails."""
        uses = b""
        for text in paddings.split():
            template, padding = bytes.fromhex(text)
            parts = (0x80, padding | algorithm), (0x83, reference), (0x95, 0x40)
            uses += bytes(Tlv.of(template, *(Tlv(t, bytes((v,))) for t, v in parts)))
        fcp = bytes.fromhex(f"8201188302B0{reference:02X}8C058F10101000") + bytes(Tlv(0xA5, uses))
        sw = self.sw("00E00000", bytes(Tlv(0x62, fcp)))
        return sw if sw != "9000" else self.raw("00440000")

    def generate(self, reference, algorithm):
        """Create a key EF, generate a key and return cryptography's public key."""
        assert self.create_key(reference, algorithm) == "9000"
        request = bytes.fromhex(f"AC068001{algorithm:02X}8301{reference:02X}")
        return public_key(self.ok("00470000", request))

    def public_key(self, reference):
        request = bytes.fromhex(f"70088401{reference:02X}A5037F4980")
        return public_key(self.ok("00CB3FFF", request))

    def choose(self, template, algorithm, reference):
        return self.raw(f"002241{template:02X}068001{algorithm:02X}8401{reference:02X}")


def public_key(raw):
    found = {tlv.tag: tlv.value for tlv in Tlv.parse(raw).children()}
    if 0x86 in found:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[len(found[0x86])], found[0x86])
    n, e = (int.from_bytes(found[tag], "big") for tag in (0x81, 0x82))
    return rsa.RSAPublicNumbers(e, n).public_key()


@pytest.fixture
def make():
    """Return a function that makes a client of a new card; options as typed by users."""

    def make(profile="windows", kind=KIND, **options):
        return Client(kind.create(profile, options, MemoryStore(), b"seed"))

    make.client, make.tdes, make.public_key = Client, tdes, public_key
    return make


@pytest.fixture
def client(make):
    return make()


@pytest.fixture
def user(client):
    assert client.verify() == "9000"
    return client
