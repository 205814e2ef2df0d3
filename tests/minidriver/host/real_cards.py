# SPDX-License-Identifier: Apache-2.0
"""The cards of this project, provisioned, and what passes between a host and them."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from host_desk import Desk

from vreader import cardfile
from vreader.card import MemoryStore
from vreader.kinds import describe
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.events import CardCallEvent, CardCallStarted
from vreader.reader.events import ApduEvent
from vreader.recipe import Recipe

PIV = Recipe(
    "piv",
    options={"pin": "123456"},
    provision={"subject": ["CN=alice"], "slot": ["9a:rsa2048", "9c:p256", "9d:rsa2048", "82:p384"]},
    seed=b"\1",
)
GIDS = Recipe(
    "gids",
    options={"pin": "12345678"},
    provision={"subject": ["CN=dave"], "slot": ["kx:rsa2048", "sign:p256"]},
    seed=b"\1",
)
_SHOWN = 24
# The first primes behind two round numbers: nobody's secret, and the same key each time.
_P, _Q = (3 << 1022) + 1037, (7 << 1021) + 309
_E = 65537


def known_card(folder):
    """Return a recipe for a PIV card with one key, of which every byte is the same each time."""
    d = pow(_E, -1, (_P - 1) * (_Q - 1))
    public = rsa.RSAPublicNumbers(_E, _P * _Q)
    key = rsa.RSAPrivateNumbers(
        _P, _Q, d, d % (_P - 1), d % (_Q - 1), pow(_Q, -1, _P), public
    ).private_key()
    name = x509.Name.from_rfc4514_string("CN=known")
    then = datetime.datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, then, then)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "certificate.pem").write_bytes(certificate)
    provision = {
        "import-key": [f"9a:{folder / 'key.pem'}"],
        "import-cert": [f"9a:{folder / 'certificate.pem'}"],
    }
    return Recipe("piv", options={"pin": "123456"}, provision=provision, seed=b"\1")


def desk_with(recipe, module=lambda api, card: ClassMinidriver(api), **options):
    """Return a desk with a card of that recipe and the class minidriver."""
    card = cardfile.make(recipe, MemoryStore())
    desk = Desk(card=card, module=module, describe=describe, **options)
    desk.prompt.answers = [recipe.options["pin"]]
    return desk


class Transcript:
    """Calls and APDUs of a desk as lines, APDUs indented below the call that they belong to."""

    def __init__(self, desk):
        self.lines = []
        self._deep = 0
        desk.host.events.subscribe(self._hear)

    def say(self, text):
        self.lines.append(f"# {text}")

    def _hear(self, event):
        if isinstance(event, CardCallStarted):
            self._line(f"{event.function}({', '.join(map('='.join, map(_cut, event.arguments)))})")
            self._deep += 1
        elif isinstance(event, CardCallEvent):
            told = event.problem or "ok"
            self._line(f"= {told} {_cut(('', event.result))[1]}".rstrip())
            self._deep -= 1
        elif isinstance(event, ApduEvent):
            self._line(f"> {_hex(event.command, event.masked)}   {event.text}".rstrip())
            self._line(f"< {_hex(event.response, event.masked_response)}")

    def _line(self, text):
        self.lines.append("  " * self._deep + text)

    def __str__(self):
        return "".join(f"{line}\n" for line in self.lines)


def _cut(pair):
    name, value = pair
    words = [
        f"{word[:8]}…" if len(word.strip("(),")) > 2 * _SHOWN else word for word in value.split()
    ]
    end = words.index("bytes)") - 1 if "bytes)" in words else None
    return name, " ".join(words[:end])


def _hex(data, masked):
    from vreader.trace.notation import hex_pairs

    pairs = hex_pairs(data, masked)
    if len(pairs) > _SHOWN:
        pairs = [*pairs[:5], "…", *pairs[-2:]]
    return " ".join(pairs)
