# SPDX-License-Identifier: Apache-2.0
"""The GIDS minidriver on a card of this project, checked with ``cryptography``."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from driving import (
    ADMIN_KEY,
    USER_PIN,
    answer,
    code_of,
    code_or_none,
    driving,
    error_of,
    log_in_as_admin,
    new_card,
)

from cards.gids.build import gids_state
from vreader import cardfs as fs
from vreader.cardfs import decode_container_map, expand_certificate
from vreader.minidriver.abi.blobs import decode_public, encode_private
from vreader.minidriver.abi.codes import Calg, KeySpec, Padding
from vreader.minidriver.abi.returncodes import CardWin32
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.drivers.gids import GidsMinidriver
from vreader.minidriver.values import ContainerInfo, DecryptInfo, Oaep, Pss, SigningInfo
from vreader.winscard.codes import SCARD

PADDED = 0x40000000
GENERATE, IMPORT = 1, 2
MESSAGE = b"what is to be signed"
DIGEST = hashlib.sha256(MESSAGE).digest()
DENIED, INVALID = SCARD.W_SECURITY_VIOLATION, SCARD.E_INVALID_PARAMETER


def public(md, container, *, exchange):
    info = md.CardGetContainerInfo(container, 0, ContainerInfo())
    key, spec = decode_public(info.exchange if exchange else info.signature)
    assert spec.is_exchange is exchange
    return key


def test_the_class_minidriver_takes_it(gids):
    assert isinstance(gids.md, GidsMinidriver)


# ---------------------------------------------------------------------- files


def test_the_fixed_files(gids):
    md = gids.md
    assert md.CardEnumFiles(None, 0) == ["cardid", "cardapps", "cardcf"]
    assert md.CardEnumFiles("MSCP", 0) == ["cmapfile"]
    assert len(md.CardReadFile(None, "cardid", 0)) == 16
    assert md.CardReadFile(None, "CardCf", 0) == bytes(6)
    assert md.CardReadFile("mscp", "cmapfile", 0) == b""
    assert md.CardGetFileInfo(None, "cardid", CARD_FILE_INFO()) == CARD_FILE_INFO(1, 16, 3)
    assert md.CardGetFileInfo("mscp", "cmapfile", CARD_FILE_INFO()) == CARD_FILE_INFO(1, 0, 1)
    assert md.CardQueryCapabilities(CARD_CAPABILITIES()) == CARD_CAPABILITIES(1, False, True)


def test_a_file_lives_and_dies(gids):
    md = gids.md
    assert code_of(md.CardCreateFile, "mscp", "new", 5, 1) is DENIED
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateFile("mscp", "New", 5, 1)
    assert md.CardReadFile("mscp", "new", 0) == bytes(5)
    assert code_of(md.CardCreateFile, "mscp", "NEW", 1, 1) is CardWin32.FILE_EXISTS
    for content in (b"content", b"x" * 3000, b"", b"", b"y"):
        md.CardWriteFile("mscp", "new", 0, content)
        assert md.CardReadFile("MSCP", "NEW", 0) == content
    assert md.CardEnumFiles("mscp", 0) == ["cmapfile", "new"]
    md.CardDeauthenticate("user", 0)
    assert code_of(md.CardWriteFile, "mscp", "new", 0, b"z") is DENIED
    assert code_of(md.CardDeleteFile, "mscp", "new", 0) is DENIED
    assert md.CardReadFile("mscp", "new", 0) == b"y"
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardDeleteFile("mscp", "new", 0)
    for call, *rest in (
        (md.CardReadFile, 0),
        (md.CardWriteFile, 0, b"z"),
        (md.CardDeleteFile, 0),
        (md.CardGetFileInfo, CARD_FILE_INFO()),
    ):
        assert code_of(call, "mscp", "new", *rest) is SCARD.E_FILE_NOT_FOUND
        assert code_of(call, "nowhere", "new", *rest) is SCARD.E_DIR_NOT_FOUND
    md.CardCreateFile("mscp", "new", 0, 1)
    assert md.CardReadFile("mscp", "new", 0) == b""


@pytest.mark.parametrize(
    ("access", "everyone", "user", "admin"),
    [
        (1, "r", "rw", "rw"),
        (2, "", "w", "w"),
        (3, "r", "r", "rw"),
        (5, "", "rw", "rw"),
        (6, "", "", "rw"),
    ],
)
def test_access_conditions(gids, access, everyone, user, admin):
    md = gids.md
    log_in_as_admin(md)
    md.CardCreateFile(None, "file", 3, access)
    md.CardDeauthenticate("admin", 0)

    def rights():
        can = ""
        for letter, call, *rest in (("r", md.CardReadFile), ("w", md.CardWriteFile, b"abc")):
            code = code_or_none(call, None, "file", 0, *rest)
            assert code in (None, DENIED)
            can += "" if code else letter
        return can

    assert rights() == everyone
    md.CardAuthenticatePin("user", USER_PIN)
    assert rights() == user
    md.CardDeauthenticateEx(0xFF, 0)
    log_in_as_admin(md)
    assert rights() == admin
    if "r" in admin:
        info = md.CardGetFileInfo(None, "file", CARD_FILE_INFO())
        assert (info.cbFileSize, info.AccessCondition) == (3, access)


def test_directories(gids):
    md = gids.md
    assert code_of(md.CardCreateDirectory, "mscp", 1) is CardWin32.FILE_EXISTS
    assert code_of(md.CardCreateDirectory, "mine", 1) is DENIED
    md.CardAuthenticatePin("user", USER_PIN)
    assert code_of(md.CardCreateDirectory, "cardid", 1) is CardWin32.FILE_EXISTS
    assert code_of(md.CardCreateFile, None, "mscp", 1, 1) is CardWin32.FILE_EXISTS
    md.CardCreateDirectory("Mine", 1)
    assert code_of(md.CardEnumFiles, "mine", 0) is SCARD.E_FILE_NOT_FOUND
    md.CardCreateFile("mine", "one", 1, 1)
    assert code_of(md.CardDeleteDirectory, "mine") is CardWin32.DIR_NOT_EMPTY
    md.CardDeleteFile("mine", "one", 0)
    md.CardDeleteDirectory("MINE")
    assert code_of(md.CardEnumFiles, "mine", 0) is SCARD.E_DIR_NOT_FOUND
    assert code_of(md.CardDeleteDirectory, "mine") is SCARD.E_DIR_NOT_FOUND
    assert code_of(md.CardCreateDirectory, "theirs", 2) is DENIED
    log_in_as_admin(md)
    md.CardCreateDirectory("theirs", 2)
    md.CardCreateFile("theirs", "one", 1, 1)
    md.CardDeauthenticateEx(0xFF, 0)
    md.CardAuthenticatePin("user", USER_PIN)
    assert code_of(md.CardCreateFile, "theirs", "two", 1, 1) is DENIED
    assert code_of(md.CardDeleteFile, "theirs", "one", 0) is DENIED


def test_what_does_not_fit(gids):
    md = gids.md
    md.CardAuthenticatePin("user", USER_PIN)
    full = SCARD.E_WRITE_TOO_MANY
    assert code_of(md.CardCreateFile, None, "big", 0xFFFFFFFF, 1) is full
    assert code_of(md.CardWriteFile, None, "cardcf", 0, bytes(0x10000)) is full
    assert code_of(md.CardCreateFile, None, "€", 1, 1) is INVALID
    assert md.CardEnumFiles(None, 0) == ["cardid", "cardapps", "cardcf"]
    made = 0
    while (code := code_or_none(md.CardCreateFile, "mscp", f"f{made}", 1, 1)) is None:
        made += 1
    assert code is full
    assert len(md.CardEnumFiles("mscp", 0)) == made + 1


def test_the_administrator_names_the_card(gids):
    md = gids.md
    name = bytes(range(16))
    assert code_of(md.CardSetProperty, "Card Identifier", name, 0) is DENIED
    log_in_as_admin(md)
    md.CardSetProperty("Card Identifier", name, 0)
    assert md.CardReadFile(None, "cardid", 0) == name
    assert md.CardGetProperty("Card Identifier", bytes(16), 0) == name
    assert code_of(md.CardSetProperty, "Card Identifier", name[1:], 0) is INVALID


@pytest.mark.parametrize(
    ("place", "raw"),
    [
        (fs.FILE_TABLE, b"\2"),
        (fs.FILE_TABLE, b"\1" + bytes(27)),
        (fs.FILE_TABLE, fs.encode_file_table([fs.FileEntry("", "cardid", 0xDF20, 0x10000)])),
        (fs.KEY_MAP, b"\1" + bytes(11)),
    ],
)
def test_tables_that_are_none(place, raw):
    card = new_card("gids")
    state = gids_state(card)
    state.put_object(0xA000, place, raw)
    state.area.commit()
    with driving(card) as driven:
        md = driven.md
        lost = {
            code_or_none(md.CardReadFile, None, "cardid", 0),
            code_or_none(md.CardGetContainerInfo, 0, 0, ContainerInfo()),
        }
        assert SCARD.E_COMM_DATA_LOST in lost


def test_a_file_whose_object_is_gone_is_not_missing():
    card = new_card("gids")
    state = gids_state(card)
    state.put_object(0xA010, fs.CARD_CF, None)
    state.area.commit()
    with driving(card) as driven:
        assert code_of(driven.md.CardReadFile, None, "cardcf", 0) is SCARD.E_COMM_DATA_LOST


# ---------------------------------------------------------------------- keys


@pytest.mark.parametrize("spec", [KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE])
def test_a_generated_rsa_key(gids, spec):
    md = gids.md
    assert code_of(md.CardCreateContainer, 3, GENERATE, spec, 1024, None) is DENIED
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateContainer(3, GENERATE, spec, 1024, None)
    key = public(md, 3, exchange=spec.is_exchange)
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 1024
    signature = md.CardSignData(SigningInfo(3, spec, DIGEST, Calg.SHA_256, version=1))
    key.verify(signature[::-1], MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    info = SigningInfo(3, spec, DIGEST, 0, PADDED, Pss("SHA256", 20), Padding.PSS)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 20)
    key.verify(md.CardSignData(info)[::-1], MESSAGE, pss, hashes.SHA256())
    cipher = key.encrypt(MESSAGE, padding.PKCS1v15())[::-1]
    decrypt = DecryptInfo(3, spec, cipher, None, Padding.PKCS1)
    if spec.is_exchange:
        assert md.CardRSADecrypt(decrypt)[::-1] == MESSAGE
        sha = hashes.SHA256()
        cipher = key.encrypt(MESSAGE, padding.OAEP(padding.MGF1(sha), sha, None))[::-1]
        info = DecryptInfo(3, spec, cipher, Oaep("SHA256"), Padding.OAEP)
        assert md.CardRSADecrypt(info)[::-1] == MESSAGE
    else:
        assert code_of(md.CardRSADecrypt, decrypt) is INVALID
    md.CardDeauthenticate("user", 0)
    refused = code_of(md.CardSignData, SigningInfo(3, spec, DIGEST, Calg.SHA_256, version=1))
    assert refused is DENIED


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1, ec.SECP521R1])
@pytest.mark.parametrize("flags", [GENERATE, IMPORT])
def test_a_key_on_a_curve(gids, curve, flags):
    md = gids.md
    size = -(-curve.key_size // 8)
    spec = KeySpec[f"ECDSA_P{curve.key_size}"]
    private = ec.generate_private_key(curve())
    data = encode_private(private, spec) if flags == IMPORT else None
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateContainer(0, flags, spec, 0, data)
    key = public(md, 0, exchange=False)
    if flags == IMPORT:
        assert key == private.public_key()
    digest = hashlib.sha512(MESSAGE).digest()
    signature = md.CardSignData(SigningInfo(0, spec, digest))
    assert len(signature) == 2 * size
    r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
    key.verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(hashes.SHA512()))


def test_an_imported_rsa_key_and_one_for_the_other_use(gids):
    md = gids.md
    private = rsa.generate_private_key(65537, 2048)
    blob = encode_private(private, KeySpec.KEYEXCHANGE)
    md.CardAuthenticatePin("user", USER_PIN)
    for spec, data in ((KeySpec.SIGNATURE, blob), (KeySpec.KEYEXCHANGE, blob[:-1])):
        assert code_of(md.CardCreateContainer, 0, IMPORT, spec, 2048, data) is INVALID
    assert code_of(md.CardGetContainerInfo, 0, 0, ContainerInfo()) is SCARD.E_NO_KEY_CONTAINER
    md.CardCreateContainerEx(0, IMPORT, KeySpec.KEYEXCHANGE, 2048, blob, 1)
    assert public(md, 0, exchange=True) == private.public_key()
    md.CardCreateContainer(0, GENERATE, KeySpec.SIGNATURE, 1024, None)
    assert public(md, 0, exchange=True) == private.public_key()
    first = public(md, 0, exchange=False)
    signature = md.CardSignData(SigningInfo(0, KeySpec.SIGNATURE, DIGEST, Calg.SHA_256, version=1))
    first.verify(signature[::-1], MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    md.CardCreateContainer(0, GENERATE, KeySpec.SIGNATURE, 1024, None)
    assert public(md, 0, exchange=False) != first
    assert public(md, 0, exchange=True) == private.public_key()
    md.CardDeleteContainer(0, 0)
    gone = SCARD.E_NO_KEY_CONTAINER
    assert code_of(md.CardGetContainerInfo, 0, 0, ContainerInfo()) is gone
    assert code_of(md.CardDeleteContainer, 0, 0) is gone
    assert code_of(md.CardSignData, SigningInfo(0, 2, DIGEST)) is gone


def test_containers_are_counted(gids):
    md = gids.md
    md.CardAuthenticatePin("user", USER_PIN)
    for container in (0, 31):
        md.CardCreateContainer(container, GENERATE, KeySpec.ECDSA_P256, 0, None)
    space = md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
    assert (space.dwKeyContainersAvailable, space.dwMaxKeyContainers) == (30, 32)
    full = code_of(md.CardCreateContainer, 32, GENERATE, KeySpec.ECDSA_P256, 0, None)
    assert full is SCARD.E_WRITE_TOO_MANY
    unsupported = code_of(md.CardCreateContainer, 1, GENERATE, 1, 1536, None)
    assert unsupported is SCARD.E_UNSUPPORTED_FEATURE
    assert code_of(md.CardQueryKeySizes, 6, 0, CARD_KEY_SIZES()) is INVALID
    assert "CardConstructDHAgreement" not in md.table()
    room = bytes(4)
    assert md.CardGetContainerProperty(0, "PIN Identifier", room, 0) == b"\1\0\0\0"
    md.CardSetContainerProperty(0, "PIN Identifier", b"\1\0\0\0", 0)
    assert code_of(md.CardSetContainerProperty, 0, "PIN Identifier", b"\2\0\0\0", 0) is DENIED
    assert code_of(md.CardCreateContainerEx, 1, GENERATE, 3, 0, None, 2) is DENIED
    assert code_of(md.CardCreateContainerEx, 1, GENERATE, 3, 0, None, 3) is INVALID


def test_a_card_with_containers_is_enumerated():
    with driving(new_card("gids", "", ["kx:rsa2048", "sign:p256"])) as driven:
        md = driven.md
        records = decode_container_map(md.CardReadFile("mscp", "cmapfile", 0))
        assert [(r.signature_bits, r.exchange_bits) for r in records] == [(0, 2048), (256, 0)]
        for number, name in enumerate(("kxc00", "ksc01")):
            der = expand_certificate(md.CardReadFile("mscp", name, 0))
            certificate = x509.load_der_x509_certificate(der)
            assert certificate.public_key() == public(md, number, exchange=not number)
        md.CardAuthenticatePin("user", USER_PIN)
        signature = md.CardSignData(SigningInfo(0, 1, DIGEST, Calg.SHA_256, version=1))
        key = public(md, 0, exchange=True)
        key.verify(signature[::-1], MESSAGE, padding.PKCS1v15(), hashes.SHA256())


# ---------------------------------------------------------------------- PINs


def test_the_user(gids):
    md = gids.md
    wrong = error_of(md.CardAuthenticatePin, "user", b"654321")
    assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
    short = error_of(md.CardAuthenticateEx, 1, 0x40, b"1")
    assert (short.code, short.attempts) == (SCARD.W_WRONG_CHV, 2)
    assert code_of(md.CardAuthenticateEx, 1, 0x10000000, USER_PIN) is SCARD.E_UNSUPPORTED_FEATURE
    assert code_of(md.CardAuthenticateEx, 1, 0, None) is INVALID
    assert code_of(md.CardAuthenticateEx, 3, 0, USER_PIN) is INVALID
    refused = error_of(md.CardChangeAuthenticator, "user", b"111111", b"222222", 0, 2)
    assert (refused.code, refused.attempts) == (SCARD.W_WRONG_CHV, 1)
    md.CardChangeAuthenticator("user", USER_PIN, b"222222", 0, 2)
    assert code_of(md.CardChangeAuthenticatorEx, 2, 1, b"222222", 1, b"1", 0) is INVALID
    assert code_of(md.CardChangeAuthenticator, "user", b"222222", b"3333", 5, 2) is INVALID
    assert code_of(md.CardChangeAuthenticatorEx, 2, 2, bytes(8), 1, b"333333", 0) is DENIED
    # Part of the new PIN is no part of the old one.
    assert code_of(md.CardChangeAuthenticator, "user", b"22222", b"23333", 0, 2)
    md.CardAuthenticatePin("user", b"222222")


def test_unblocking(gids):
    md = gids.md
    for _ in range(2):
        assert code_of(md.CardAuthenticatePin, "user", b"000000") is SCARD.W_WRONG_CHV
    blocked = error_of(md.CardAuthenticatePin, "user", b"000000")
    assert (blocked.code, blocked.attempts) == (SCARD.W_CHV_BLOCKED, 0)
    assert code_of(md.CardAuthenticatePin, "user", USER_PIN) is SCARD.W_CHV_BLOCKED
    no_puk = code_of(md.CardUnblockPin, "user", b"12345678", b"222222", 0, 2)
    assert no_puk is SCARD.E_UNSUPPORTED_FEATURE
    md.CardGetChallenge()
    wrong = error_of(md.CardUnblockPin, "user", bytes(8), b"222222", 0, 1)
    assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 0xFFFFFFFF)
    response = answer(md.CardGetChallenge())
    assert code_of(md.CardUnblockPin, "user", response, b"1", 0, 1) is INVALID
    assert code_of(md.CardWriteFile, None, "cardid", 0, bytes(16)) is DENIED
    response = answer(md.CardGetChallengeEx(2, 0))
    md.CardChangeAuthenticatorEx(1, 2, response, 1, b"222222", 0)
    assert code_of(md.CardWriteFile, None, "cardid", 0, bytes(16)) is DENIED
    md.CardAuthenticatePin("user", b"222222")
    assert code_of(md.CardUnblockPin, "user", response, b"222222", 0, 1) is SCARD.W_WRONG_CHV


def test_a_puk():
    with driving(new_card("gids", puk="87654321")) as driven:
        md = driven.md
        wrong = error_of(md.CardUnblockPin, "user", b"11111111", b"222222", 0, 2)
        assert (wrong.code, wrong.attempts) == (SCARD.W_WRONG_CHV, 2)
        md.CardUnblockPin("user", b"87654321", b"222222", 0, 2)
        md.CardAuthenticatePin("user", b"222222")


def test_the_admin_key(gids):
    md = gids.md
    new = bytes(range(24))
    assert len({md.CardGetChallenge() for _ in range(20)}) == 20
    assert code_of(md.CardAuthenticateChallenge, b"short") is INVALID
    bad = code_of(md.CardChangeAuthenticator, "admin", bytes(8), new, 0, 2)
    assert bad is INVALID
    response = answer(md.CardGetChallenge())
    md.CardChangeAuthenticator("admin", response, new, 0, 1)
    md.CardDeauthenticate("admin", 0)
    md.CardGetChallenge()
    assert code_of(md.CardAuthenticateChallenge, answer(md.CardGetChallenge(), ADMIN_KEY)) is (
        SCARD.W_WRONG_CHV
    )
    md.CardAuthenticateEx(2, 0, answer(md.CardGetChallengeEx(2, 0), new))
    assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\4\0\0\0"
    md.CardAuthenticatePin("user", USER_PIN)
    assert md.CardGetProperty("Authenticated State", bytes(4), 0) == b"\6\0\0\0"
    assert code_of(md.CardDeauthenticateEx, 2, 0) is SCARD.E_UNSUPPORTED_FEATURE
    gids.reset()
    assert code_of(md.CardWriteFile, None, "cardid", 0, bytes(16)) is DENIED
    assert md.CardGetProperty("Authenticated State", bytes(4), 0) == bytes(4)


def test_two_contexts_see_the_same_card(gids):
    other = gids.acquire()
    gids.md.CardAuthenticatePin("user", USER_PIN)
    other.CardCreateFile("mscp", "file", 1, 1)
    assert gids.md.CardReadFile("mscp", "file", 0) == b"\0"
    gids.md.CardDeleteContext()
    assert other.CardReadFile("mscp", "file", 0) == b"\0"


def test_a_blank_card_is_gids_and_has_no_files():
    with driving(new_card("gids", "blank")) as driven:
        assert isinstance(driven.md, GidsMinidriver)
        assert code_of(driven.md.CardReadFile, None, "cardid", 0) is SCARD.E_FILE_NOT_FOUND
        assert code_of(driven.md.CardEnumFiles, "mscp", 0) is SCARD.E_DIR_NOT_FOUND
