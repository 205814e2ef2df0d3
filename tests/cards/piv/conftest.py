# SPDX-License-Identifier: Apache-2.0
"""A PIV card with a client's hands: chaining, GET RESPONSE and the two authentications.

The client computes everything with cryptography, never with the card's own code.
"""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from cards.piv import KIND
from vreader.card import MemoryStore
from vreader.iso7816 import Tlv

DEFAULT_KEY = bytes(range(1, 9)) * 3


class Client:
    """Talks short APDUs to a card on which PIV is selected."""

    def __init__(self, card):
        self.card = card
        card.power_on()
        self.select()

    def select(self):
        return self.send("00A4040009A00000030800001000")

    def raw(self, text):
        """Send hex, return hex."""
        return self.card.transmit(bytes.fromhex(text)).hex().upper()

    def send(self, text, data=b""):
        """Send header and data as a chain; return all the response data and the last SW."""
        raw = bytes.fromhex(text)
        header, data = raw[:4], raw[5 : 5 + raw[4]] + data if len(raw) > 4 else data
        while len(data) > 255:
            link = bytes((header[0] | 0x10,)) + header[1:] + b"\xff" + data[:255]
            answer = self.card.transmit(link)
            if answer != b"\x90\x00":
                return b"", int.from_bytes(answer, "big")
            data = data[255:]
        answer = self.card.transmit(header + (bytes((len(data),)) + data if data else b"") + b"\0")
        collected = answer[:-2]
        while answer[-2] == 0x61:
            answer = self.card.transmit(b"\0\xc0\0\0" + answer[-1:])
            collected += answer[:-2]
        return collected, int.from_bytes(answer[-2:], "big")

    def sw(self, text, data=b""):
        return f"{self.send(text, data)[1]:04X}"

    def ok(self, text, data=b""):
        answer, sw = self.send(text, data)
        assert sw == 0x9000, f"{text} gave {sw:04X}"
        return answer

    def verify(self, pin=b"123456"):
        return self.sw("00200080", pin.ljust(8, b"\xff"))

    def algorithm(self):
        """Ask for the algorithm of the management key; a card that cannot tell has 3DES."""
        answer, sw = self.send("00F7009B")
        return answer[2] if sw == 0x9000 else 3

    def admin(self, key=DEFAULT_KEY, algorithm=None):
        """Mutual authentication, as ykman and yubico-piv-tool do it."""
        algorithm = algorithm or self.algorithm()
        block = 8 if algorithm == 3 else 16
        header = f"0087{algorithm:02X}9B"
        witness = Tlv.parse(self.ok(header, bytes.fromhex("7C028000"))).find(0x80).value
        challenge = bytes(range(block))
        request = Tlv.of(0x7C, Tlv(0x80, decrypt(key, witness, algorithm)), Tlv(0x81, challenge))
        answer = Tlv.parse(self.ok(header, bytes(request))).find(0x82).value
        assert decrypt(key, answer, algorithm) == challenge

    def generate(self, slot, algorithm, policies=b""):
        """Generate a key and return cryptography's public key."""
        inner = bytes((0x80, 1, algorithm)) + policies
        answer = self.ok(f"004700{slot:02X}", bytes(Tlv(0xAC, inner)))
        return public_key(Tlv.parse(answer).value)

    def use(self, slot, algorithm, data, tag=0x81):
        """GENERAL AUTHENTICATE; return the response or the SW in hex."""
        request = bytes(Tlv.of(0x7C, Tlv(0x82), Tlv(tag, data)))
        answer, sw = self.send(f"0087{algorithm:02X}{slot:02X}", request)
        if sw != 0x9000:
            return f"{sw:04X}"
        return Tlv.parse(answer).find(0x82).value


def cipher(key, algorithm):
    return Cipher(TripleDES(key) if algorithm == 3 else AES(key), modes.ECB())


def decrypt(key, block, algorithm=3):
    worker = cipher(key, algorithm).decryptor()
    return worker.update(block) + worker.finalize()


def encrypt(key, block, algorithm=3):
    worker = cipher(key, algorithm).encryptor()
    return worker.update(block) + worker.finalize()


def public_key(raw):
    found = {tlv.tag: tlv.value for tlv in Tlv.parse_all(raw)}
    if 0x86 in found:
        curve = ec.SECP256R1() if len(found[0x86]) == 65 else ec.SECP384R1()
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, found[0x86])
    n, e = (int.from_bytes(found[tag], "big") for tag in (0x81, 0x82))
    return rsa.RSAPublicNumbers(e, n).public_key()


@pytest.fixture
def make():
    """Return a function that makes a client of a new card; options as typed by users."""

    def make(profile="5.4.3", **options):
        return Client(KIND.create(profile, options, MemoryStore(), b"seed"))

    make.client, make.decrypt, make.encrypt, make.public_key = Client, decrypt, encrypt, public_key
    return make


@pytest.fixture
def client(make):
    return make()


@pytest.fixture
def admin(client):
    client.admin()
    return client
