# SPDX-License-Identifier: Apache-2.0
"""Whole conversations full of secrets, with cards of each kind; nobody who listens sees one.

Listeners are the trace as text and as JSON lines, the host's event log, Python's log, and what
``vreader card info`` tells. Every command is sent whole in short and in extended form, and as
chains cut at two places; once by somebody who has the right to do it, once by somebody who has not.

A secret is looked for piece by piece, and any piece can stand in random bytes by accident. So
nothing is random here: all keys, and what they encrypt, come from fixed seeds. Every piece of a PIN
has a letter that is no hexadecimal digit, or each dump of bytes would be full of accidents.
"""

import contextlib
import logging
from hashlib import shake_256

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from leaks import shows

from vreader.card import MemoryStore
from vreader.clock import ManualClock
from vreader.host import Host
from vreader.iso7816 import CommandApdu, Tlv
from vreader.kinds import OWN_KINDS, describe, find_kind
from vreader.smclib.ioctl import Ioctl
from vreader.trace import open_trace

PIN, NEW_PIN, PUK, NEW_PUK = b"83xK09w7", b"70yR48u5", b"95zQ26v0", b"48tN07s3"
KEY, NEW_KEY = (bytes(range(start, start + 24)) for start in (0xB0, 0xC8))
SCALAR, SEED, SECRET = (bytes(range(start, start + 32)) for start in (0x50, 0x70, 0x48))
DATA = bytes(range(0xE0, 0x100))
T1 = (2).to_bytes(4, "little") + (8).to_bytes(4, "little")


class Talk:
    """A card in a reader of a host that is listened to on all sides."""

    def __init__(self, device, card, cut):
        self.device, self.card, self.cut = device, card, cut

    def raw(self, command):
        answer = self.exchange(command)
        while answer[-2] == 0x61:
            answer = answer[:-2] + self.exchange(b"\0\xc0\0\0" + answer[-1:])
        return answer

    def exchange(self, command):
        status, answer = self.device.ioctl(Ioctl.SMARTCARD_TRANSMIT, T1 + command, 65546)
        assert status == 0
        return answer[8:]

    def send(self, head, data=b""):
        """Send a command, whole or cut into a chain; return the answer."""
        cla, *rest = bytes.fromhex(head)
        if self.cut == "extended":
            return self.raw(bytes(CommandApdu(cla, *rest, data, 65536, extended=True)))
        size = 255 if self.cut == "short" else self.cut
        while len(data) > size:
            self.raw(bytes(CommandApdu(cla | 0x10, *rest, data[:size])))
            data = data[size:]
        return self.raw(bytes(CommandApdu(cla, *rest, data, 256)))


# ---------------------------------------------------------------------- what is said to each kind


def fixed(seed, size):
    """Return ``size`` bytes that look random."""
    return shake_256(seed).digest(size)


def prime(seed, offset):
    """Return a prime of 1024 bits, found by hand ``offset`` behind the number of ``seed``."""
    return (int.from_bytes(fixed(seed, 128)) | 0xC0 << 1016 | 1) + offset


def rsa_key(p, q):
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    parts = p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p)
    return rsa.RSAPrivateNumbers(*parts, public).private_key()


RSA_KEY = rsa_key(prime(b"p", 816), prime(b"q", 114))
RSA = RSA_KEY.private_numbers()
PEER = ec.derive_private_key(int.from_bytes(fixed(b"peer", 32)), ec.SECP256R1())
POINT = PEER.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
SHARED = PEER.exchange(
    ec.ECDH(), ec.derive_private_key(int.from_bytes(SCALAR), ec.SECP256R1()).public_key()
)
PEER_25519 = x25519.X25519PrivateKey.from_private_bytes(fixed(b"peer", 32))
POINT_25519 = PEER_25519.public_key().public_bytes_raw()
SHARED_25519 = PEER_25519.exchange(x25519.X25519PrivateKey.from_private_bytes(SECRET).public_key())
PLAIN = bytes(range(0x90, 0xB0))
# PKCS #1 v1.5, with padding that stays the same.
PADDED = b"\0\2" + fixed(b"padding", 221).replace(b"\0", b"\1") + b"\0" + PLAIN
CIPHERED = pow(int.from_bytes(PADDED), 65537, RSA.public_numbers.n).to_bytes(256)


def piv(talk, allowed):
    def admin():
        state = talk.card.applications[0].state
        state.security.admin = state.security.pin = allowed

    talk.raw(bytes.fromhex("00A4040005A00000030800"))
    talk.send("00200080", PIN if allowed else NEW_PIN)
    talk.send("00200000", PIN)
    talk.send("00240080", PIN + NEW_PIN)
    talk.send("00240081", PUK + NEW_PUK)
    talk.send("002C0080", NEW_PUK + PIN)
    admin()
    talk.send("00FFFFFF", b"\x0a\x9b\x18" + NEW_KEY)
    talk.send("00FFFFFF", b"\x03\x9b\x18" + KEY)
    talk.send("00FFFFFF", b"\x0c\x9b\x20" + KEY + NEW_KEY[:8])
    admin()
    talk.send(
        "00DB3FFF", b"\x5c\3\x5f\xc1\x09\x53" + bytes((len(KEY) + 4, 0x88, 26, 0x89, 24)) + KEY
    )
    admin()
    talk.send("00CB3FFF", b"\x5c\3\x5f\xc1\x09")
    talk.send("00FE119D", b"\x06\x20" + SCALAR)
    talk.send("00FEE09C", b"\x07\x20" + SEED)
    talk.send("00FEE19E", b"\x08\x20" + SECRET)
    parts = (RSA.p, RSA.q, RSA.dmp1, RSA.dmq1, RSA.iqmp)
    talk.send("00FE079A", b"".join(
        bytes(Tlv(tag, part.to_bytes(128))) for tag, part in enumerate(parts, 1)))  # fmt: skip
    talk.send("00FE0782", b"".join(
        bytes(Tlv(tag, part.to_bytes(128))) for tag, part in enumerate(parts, 1)))  # fmt: skip
    admin()
    answer = talk.send("0087119D", bytes(Tlv.of(0x7C, Tlv(0x82), Tlv(0x85, POINT))))
    assert (SHARED in answer) == allowed
    admin()
    talk.send("0087E19E", bytes(Tlv.of(0x7C, Tlv(0x82), Tlv(0x85, POINT_25519))))
    admin()
    answer = talk.send("00870782", bytes(Tlv.of(0x7C, Tlv(0x82), Tlv(0x81, CIPHERED))))
    assert (PLAIN in answer) == allowed


PIV_SECRETS = [
    PIN, NEW_PIN, PUK, NEW_PUK, KEY, NEW_KEY, SCALAR, SHARED, PLAIN, SEED, SECRET, SHARED_25519,
    *(n.to_bytes(128) for n in (RSA.p, RSA.q, RSA.dmp1, RSA.dmq1, RSA.iqmp)),
]  # fmt: skip
PIV_OPTIONS = {"pin": PIN.decode(), "puk": PUK.decode(), "mgmkey": KEY.hex()}


def gids(talk, allowed):
    def rights():
        security = talk.card.applications[0].state.security
        security.admin = security.user = allowed

    def key_file():
        uses = b"".join(
            bytes.fromhex(f"{template:02X}098001{algorithm:02X}830181950140")
            for template, algorithm in ((0xB8, 0x47), (0xB6, 0x57))
        )
        fcp = bytes.fromhex("8201188302B0818C058F10101000") + bytes(Tlv(0xA5, uses))
        talk.raw(bytes(CommandApdu(0, 0xE0, 0, 0, bytes(Tlv(0x62, fcp)))))
        talk.raw(bytes.fromhex("00440000"))

    talk.raw(bytes.fromhex("00A4040009A0000003974254465900"))
    talk.send("00200080", PIN if allowed else NEW_PIN)
    talk.send("00240080", PIN + NEW_PIN)
    talk.send("00240081", PUK + NEW_PUK)
    talk.send("002C0080", NEW_PUK + PIN)
    rights()
    talk.send("002C0280", NEW_PIN)
    talk.send("00240180", PIN)
    rights()
    talk.send("00DB3FFF", bytes(Tlv.of(0x70, Tlv(0x84, b"\x80"), Tlv.of(0xA5, Tlv(0x87, NEW_KEY)))))
    rights()
    key_file()
    der = RSA_KEY.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )  # fmt: skip
    talk.send("00DB3FFF", bytes(Tlv.of(0x70, Tlv(0x84, b"\x81"), Tlv.of(0xA5, Tlv(0x87, der)))))
    rights()
    talk.raw(bytes.fromhex("002241B806800147840181"))
    assert (PLAIN in talk.send("002A8086", CIPHERED)) == allowed


GIDS_SECRETS = [
    PIN, NEW_PIN, PUK, NEW_PUK, KEY, NEW_KEY, PLAIN,
    *(n.to_bytes(128) for n in (RSA.p, RSA.q, RSA.dmp1, RSA.dmq1, RSA.iqmp)),
]  # fmt: skip
GIDS_OPTIONS = {"pin": PIN.decode(), "puk": PUK.decode(), "adminkey": KEY.hex()}
CONVERSATIONS = {
    "piv": (piv, PIV_OPTIONS, PIV_SECRETS),
    "yubikey": (piv, PIV_OPTIONS, PIV_SECRETS),
    "gids": (gids, GIDS_OPTIONS, GIDS_SECRETS),
    "tpmvsc": (gids, GIDS_OPTIONS, GIDS_SECRETS),
}
CASES = [
    (name, profile)
    for name in CONVERSATIONS
    if name in OWN_KINDS
    for profile in find_kind(name).profiles()
    if profile not in ("neutral", "blank")  # which have no such commands, or no PIN yet
]


def overheard(directory, caplog, kind, profile, cut, allowed, *, unmask=False):
    """Let somebody talk to a card; return all that was written by listeners."""
    converse, options, _ = CONVERSATIONS[kind.name]
    card = kind.create(profile, options, MemoryStore(), b"seed")
    paths = [directory / name for name in ("t.txt", "t.jsonl")]
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(
            Host(None, clock=ManualClock(), describe=describe, unmask=unmask)
        )
        for path in paths:
            stack.callback(
                open_trace(str(path), host.events, unmask=unmask, full=True, now=lambda: 0.0)
            )
        reader = host.add_reader()
        reader.insert(card)
        device = stack.enter_context(host.open_device(reader.link))
        device.ioctl(Ioctl.SMARTCARD_POWER, (1).to_bytes(4, "little"), 33)
        device.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, (2).to_bytes(4, "little"), 4)
        with caplog.at_level(logging.DEBUG):
            converse(Talk(device, card, cut), allowed)
        log = "\n".join(f"{entry.text} {entry.data.hex()}" for entry in host.log.entries())
    facts = "\n".join(f"{label}: {value}" for label, value in kind.facts(card))
    told = {path.name: path.read_bytes() for path in paths}
    return {**told, "log": log.encode(), "python": caplog.text.encode(), "info": facts.encode()}


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "refused"])
@pytest.mark.parametrize("cut", ["short", "extended", 6, 11])
@pytest.mark.parametrize(("name", "profile"), CASES)
def test_no_secret_is_seen(tmp_path, caplog, name, profile, cut, allowed):
    written = overheard(tmp_path, caplog, find_kind(name), profile, cut, allowed)
    secrets = CONVERSATIONS[name][2]
    for where, output in written.items():
        seen = [secret.hex() for secret in secrets if shows(output, secret)]
        assert not seen, where
    assert b"**" in written["t.txt"]


@pytest.mark.parametrize("secret", [PIN, KEY, SHARED, RSA.q.to_bytes(128)])
@pytest.mark.parametrize(
    "form", [bytes.hex, lambda part: part.hex(" ").upper(), repr, list, lambda part: part], ids=str
)
def test_a_piece_of_a_secret_is_found_however_it_is_written(secret, form):
    written = form(secret[1:6])
    output = written if isinstance(written, bytes) else str(written).encode()
    assert shows(b"before " + output + b" after", secret)


@pytest.mark.parametrize(("name", "profile"), CASES)
def test_every_run_is_the_same(tmp_path, caplog, name, profile):
    runs = []
    for number in range(2):
        directory = tmp_path / str(number)
        directory.mkdir()
        caplog.clear()
        kind = find_kind(name)
        written = overheard(directory, caplog, kind, profile, "short", True, unmask=True)
        for trace in ("t.txt", "t.jsonl"):
            head, _, written[trace] = written[trace].partition(b"\n")
            assert b"20" in head  # when the trace began
        runs.append(written)
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("name", "profile"), CASES)
def test_it_would_be_noticed(tmp_path, caplog, name, profile):
    """The markers do stand in what is exchanged: unmasked, both traces show all of them."""
    never_sent = (KEY,) if name in ("gids", "tpmvsc") else ()
    if profile == "5.4.3":
        never_sent = (SHARED_25519,)  # it has no such keys
    secrets = [secret for secret in CONVERSATIONS[name][2] if secret not in never_sent]
    written = overheard(tmp_path, caplog, find_kind(name), profile, "short", True, unmask=True)
    for where in ("t.txt", "t.jsonl"):
        unseen = [secret.hex() for secret in secrets if not shows(written[where], secret)]
        assert not unseen, where
