# SPDX-License-Identifier: Apache-2.0
"""The card: files, containers, PINs, and what is gone after a reset."""

from itertools import count

from memory.keys import generate
from vreader.iso7816 import Atr
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.structs import CONTAINER_MAP_RECORD

CARDS = {}
_numbers = count(1)
SELECT = bytes.fromhex("00A4040005A04D454D4F")
OPEN = bytes.fromhex("80100000")
TRIES = 3


class Pin:
    """A secret and its attempts."""

    def __init__(self, value, tries=TRIES):
        self.value = value
        self.tries = tries


class Container:
    """Keys by whether they exchange, and the PIN they need."""

    def __init__(self, pin):
        self.keys = {}
        self.pin = pin


class MemoryCard:
    """See vreader.card.Card."""

    def __init__(self, read_only=False, session=True, injection=True, curves=True):
        self.number = next(_numbers)
        CARDS[self.number] = self
        self.read_only, self.session = read_only, session
        self.injection, self.curves = injection, curves
        self.pins = {
            Role.USER: Pin(b"123456"),
            Role.ADMIN: Pin(bytes(range(24))),
            3: Pin(b"3333"),
        }
        self.containers = {}
        self.selected = False
        self.dirs = {"mscp": 1}
        self.files = {
            ("", "cardid"): [bytes(range(16, 32)), 3],
            ("", "cardcf"): [bytes(6), 1],
            ("", "cardapps"): [b"mscp\0\0\0\0", 3],
            ("mscp", "cmapfile"): [self._keys(), 1],
        }
        self.forget()

    def _keys(self):
        specs = [(KeySpec.KEYEXCHANGE, 1024), (KeySpec.SIGNATURE, 1024)]
        if self.curves:
            specs += [(KeySpec.ECDSA_P256, 256), (KeySpec.ECDHE_P256, 256)]
        records = b""
        for index, (spec, bits) in enumerate(specs):
            container = self.containers[index] = Container(Role.USER)
            container.keys[spec.is_exchange] = (spec, generate(spec, bits))
            sizes = (0, bits) if spec.is_exchange else (bits, 0)
            flags = 3 if index == 0 else 1
            records += CONTAINER_MAP_RECORD(f"key{index}", flags, 0, *sizes).encode()
        return records

    def forget(self):
        """Lose what a reset loses."""
        self.authenticated = set()
        self.challenge = None
        self.secrets = {}
        self.sessions = {}
        self.selected = False

    def power_on(self):
        """See Card."""
        self.forget()
        return bytes(Atr.build(protocols=(0, 1), historical=b"MEM"))

    reset = power_on

    def power_off(self):
        """See Card."""
        self.forget()

    def transmit(self, c_apdu):
        """See Card."""
        if c_apdu[1] == 0xA4:
            self.selected = c_apdu == SELECT
            return b"\x90\x00" if self.selected else b"\x6a\x82"
        if c_apdu == OPEN and self.selected:
            return self.number.to_bytes(4, "big") + b"\x90\x00"
        return b"\x69\x85"
