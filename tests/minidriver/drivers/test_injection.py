# SPDX-License-Identifier: Apache-2.0
"""Secure key injection: a server without the card, and the card's side."""

import os
import tracemalloc

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from driving import USER_PIN, answer, code_of, driving, error_of, new_card

from vreader.minidriver.abi.blobs import decode_public, encode_key_data, encode_private
from vreader.minidriver.abi.codes import NO_CARD_MODE, KeySpec
from vreader.minidriver.abi.injection import (
    CARD_AUTHENTICATE,
    CARD_AUTHENTICATE_RESPONSE,
    CARD_CHANGE_AUTHENTICATOR,
    CARD_CHANGE_AUTHENTICATOR_RESPONSE,
    CARD_IMPORT_KEYPAIR,
)
from vreader.minidriver.abi.returncodes import CardWin32
from vreader.minidriver.values import ContainerInfo, Oaep, Pss
from vreader.winscard.codes import SCARD, Win32

BLOB, CBC = "KeyDataBlob", "ChainingModeCBC\0".encode("utf-16-le")
PAIR, CHANGE, LOGIN = "Import Key Pair", "Change Authenticator", "Authenticate"
INVALID = SCARD.E_INVALID_PARAMETER


class Sides:
    """A card's side and a server's, and a session key that both have."""

    def __init__(self, driven, algorithm="AES", key=None, oaep=None):
        self.md = driven.md
        self.server = driven.module.CardAcquireContext(
            driven.data(atr=b"", context=0, card=0), NO_CARD_MODE
        )
        self.md.CardAuthenticatePin("user", USER_PIN)
        info = self.md.CardGetContainerInfo(0, 0, ContainerInfo())
        public, _ = decode_public(info.exchange)
        self.key = key or os.urandom(32)
        blob = encode_key_data(self.key)
        sha = hashes.SHA256()
        how = padding.OAEP(padding.MGF1(sha), sha, None) if oaep else padding.PKCS1v15()
        wrapped = public.encrypt(blob, how)
        self.ours = self.md.CardImportSessionKey(0, oaep, BLOB, algorithm, wrapped, 0)
        self.theirs = self.server.MDImportSessionKey(BLOB, algorithm, blob)
        block = int.from_bytes(
            self.md.CardGetKeyProperty(self.ours, "BlockLength", bytes(4), 0), "little"
        )
        self.vector = os.urandom(block)
        for side, handle in ((self.md, self.ours), (self.server, self.theirs)):
            side.CardSetKeyProperty(handle, "ChainingMode", CBC, 0)
            side.CardSetKeyProperty(handle, "IV", self.vector, 0)

    def encrypt(self, function, struct):
        return self.server.MDEncryptData(self.theirs, function, struct.encode(), 0)

    def process(self, function, struct, size=64):
        pieces = self.encrypt(function, struct)
        return self.md.CardProcessEncryptedData(self.ours, function, pieces, size, 0)


@pytest.fixture(scope="module")
def card():
    return new_card("gids", "", ["kx:rsa2048"])


@pytest.fixture
def sides(card):
    with driving(card) as driven:
        yield Sides(driven)


def pair(private, container=5, pin=1):
    blob = encode_private(private, KeySpec.ECDSA_P256)
    return CARD_IMPORT_KEYPAIR(7, container, pin, KeySpec.ECDSA_P256, 0, len(blob), blob)


def login(pin, role=1):
    return CARD_AUTHENTICATE(7, 0, role, len(pin), pin)


@pytest.mark.parametrize(
    ("algorithm", "size", "oaep"),
    [("AES", 16, None), ("AES", 32, Oaep("SHA256")), ("3DES", 24, None)],
)
def test_a_key_pair_is_imported(card, algorithm, size, oaep):
    private = ec.generate_private_key(ec.SECP256R1())
    with driving(card) as driven:
        sides = Sides(driven, algorithm, bytes(range(size)), oaep)
        (piece,) = sides.encrypt(PAIR, pair(private))
        cipher = (TripleDES if algorithm == "3DES" else algorithms.AES)(sides.key)
        worker = Cipher(cipher, modes.CBC(sides.vector)).decryptor()
        assert worker.update(piece).startswith(pair(private).encode())
        cut = len(piece) // 2
        pieces = [piece[:cut], piece[cut:]]
        assert sides.md.CardProcessEncryptedData(sides.ours, PAIR, pieces, 0, 0) == b""
        info = sides.md.CardGetContainerInfo(5, 0, ContainerInfo())
        assert decode_public(info.signature)[0] == private.public_key()
        sides.md.CardDeleteContainer(5, 0)


def test_importing_needs_the_user(sides):
    private = ec.generate_private_key(ec.SECP256R1())
    refused = code_of(sides.process, PAIR, pair(private, pin=2))
    assert refused is SCARD.W_SECURITY_VIOLATION
    sides.md.CardDeauthenticate("user", 0)
    assert code_of(sides.process, PAIR, pair(private)) is SCARD.W_SECURITY_VIOLATION
    assert code_of(sides.md.CardGetContainerInfo, 5, 0, ContainerInfo()) is (
        SCARD.E_NO_KEY_CONTAINER
    )


def test_authenticating(sides):
    sides.md.CardDeauthenticate("user", 0)
    answered = CARD_AUTHENTICATE_RESPONSE.decode(sides.process(LOGIN, login(USER_PIN)))
    assert answered == CARD_AUTHENTICATE_RESPONSE(7, 0, 3, b"")
    sides.md.CardWriteFile(None, "cardcf", 0, bytes(6))
    wrong = error_of(sides.process, LOGIN, login(b"999999"))
    assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
    sides.process(LOGIN, login(USER_PIN))


def test_changing_a_pin_and_unblocking(sides):
    def change(flags, by, current, target, new):
        return CARD_CHANGE_AUTHENTICATOR(
            7, flags, by, len(current), target, len(new), 0, current + new
        )

    short = error_of(sides.process, CHANGE, change(2, 1, USER_PIN, 1, b"222222"), 7)
    assert (short.code, short.length) == (Win32.INSUFFICIENT_BUFFER, 8)
    raw = sides.process(CHANGE, change(2, 1, USER_PIN, 1, b"222222"))
    answered = CARD_CHANGE_AUTHENTICATOR_RESPONSE.decode(raw)
    assert answered == CARD_CHANGE_AUTHENTICATOR_RESPONSE(7, 3)
    response = answer(sides.md.CardGetChallenge())
    sides.process(CHANGE, change(1, 2, response, 1, USER_PIN))
    sides.md.CardAuthenticatePin("user", USER_PIN)


def test_properties_of_a_session_key(sides):
    md, key = sides.md, sides.ours
    assert md.CardGetKeyProperty(key, "IV", bytes(16), 0) == sides.vector
    assert md.CardGetKeyProperty(key, "ChainingMode", bytes(64), 0) == CBC
    assert md.CardGetKeyProperty(key, "BlockLength", bytes(4), 0) == b"\x10\0\0\0"
    short = error_of(md.CardGetKeyProperty, key, "IV", bytes(15), 0)
    assert (short.code, short.length) == (Win32.INSUFFICIENT_BUFFER, 16)
    assert code_of(md.CardGetKeyProperty, key, "Other", bytes(9), 0) is INVALID
    assert code_of(md.CardSetKeyProperty, key, "IV", bytes(15), 0) is INVALID
    assert code_of(md.CardSetKeyProperty, key, "ChainingMode", CBC[2:], 0) is INVALID
    unsupported = code_of(md.CardSetKeyProperty, key, "BlockLength", bytes(4), 0)
    assert unsupported is SCARD.E_UNSUPPORTED_FEATURE


def test_properties_of_card_and_algorithms(sides):
    md, room = sides.md, bytes(64)
    assert md.CardGetProperty("Key Import Support", room, 0) == b"\3\0\0\0"
    assert md.CardGetProperty("Algorithms", room, 3).decode("utf-16-le") == "3DES\0AES\0RSA\0\0"
    assert md.CardGetProperty("Chaining Modes", room, 0) == CBC + b"\0\0"
    assert md.CardGetProperty("Padding Schemes", room, 1) == b"\x0a\0\0\0"
    assert sides.server.CardGetAlgorithmProperty("3DES", "BlockLength", room, 0)[0] == 8
    assert md.CardGetAlgorithmProperty("RSA", "Padding Schemes", room, 0)[0] == 10
    assert code_of(md.CardGetAlgorithmProperty, "DES", "BlockLength", room, 0) is INVALID


def test_what_is_refused(sides):
    md, key = sides.md, sides.ours
    pieces = sides.encrypt(LOGIN, login(USER_PIN))
    process = md.CardProcessEncryptedData
    assert code_of(process, key, "Other", pieces, 64, 0) is INVALID
    assert code_of(process, key + 1, LOGIN, pieces, 64, 0) is INVALID
    for at in range(0, len(pieces[0]), 7):
        damaged = bytearray(pieces[0])
        damaged[at] ^= 1
        assert code_of(process, key, PAIR, [bytes(damaged)], 64, 0) in (
            INVALID, CardWin32.REVISION_MISMATCH,
        )  # fmt: skip
    assert code_of(process, key, LOGIN, [pieces[0][:-1]], 64, 0) is INVALID
    assert code_of(md.MDImportSessionKey, BLOB, "AES", encode_key_data(bytes(15))) is INVALID
    assert code_of(md.MDImportSessionKey, BLOB, "AES", b"junk") is INVALID
    # A host may tell of more room than there is memory.
    assert code_of(process, key, LOGIN, [b""], 0xFFFFFFFF, 0) is INVALID
    odd = code_of(md.CardImportSessionKey, 0, Pss("SHA256", 32), BLOB, "AES", bytes(256), 0)
    assert odd is INVALID
    assert code_of(md.CardImportSessionKey, 0, None, BLOB, "AES", bytes(255), 0) is INVALID
    wrapped = code_of(md.CardImportSessionKey, 9, None, BLOB, "AES", bytes(256), 0)
    assert wrapped is SCARD.E_NO_KEY_CONTAINER
    md.CardDestroyKey(key)
    assert code_of(process, key, LOGIN, pieces, 64, 0) is INVALID
    assert code_of(md.CardDestroyKey, key) is INVALID


def test_the_server_has_no_card(sides):
    assert sides.server.table() == {
        "CardDeleteContext", "MDImportSessionKey", "MDEncryptData", "CardGetAlgorithmProperty",
        "CardGetKeyProperty", "CardSetKeyProperty", "CardDestroyKey", "CardProcessEncryptedData",
    }  # fmt: skip
    assert code_of(sides.server.CardReadFile, None, "cardid", 0) is SCARD.E_INVALID_HANDLE


def test_room_for_the_answer_is_not_taken_beforehand(sides):
    same = CARD_CHANGE_AUTHENTICATOR(7, 2, 1, 6, 1, 6, 0, 2 * USER_PIN)
    tracemalloc.start()
    try:
        for function, what in ((LOGIN, login(USER_PIN)), (CHANGE, same)):
            assert sides.process(function, what, size=1 << 26)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_server_cannot_do_what_it_has_encrypted(sides):
    pieces = sides.encrypt(LOGIN, login(USER_PIN))
    process = sides.server.CardProcessEncryptedData
    assert code_of(process, sides.theirs, LOGIN, pieces, 64, 0) is SCARD.E_INVALID_HANDLE


def test_session_keys_end_with_the_context(sides):
    other = sides.md.MDImportSessionKey(BLOB, "AES", encode_key_data(bytes(16)))
    assert other != sides.ours
    sides.md.CardDestroyKey(other)
    assert sides.md.MDImportSessionKey(BLOB, "AES", encode_key_data(bytes(16))) != other
    sides.md.CardDeleteContext()
    assert code_of(sides.md.CardDestroyKey, sides.ours) is INVALID
