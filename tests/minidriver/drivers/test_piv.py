# SPDX-License-Identifier: Apache-2.0
"""The PIV minidriver on a card of this project, checked with ``cryptography``."""

import gzip
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from driving import USER_PIN, code_of, driving, error_of, new_card

from cards.piv.build import piv_state
from vreader.cardfs import Container, decode_container_map
from vreader.iso7816 import Tlv
from vreader.minidriver.abi.blobs import decode_public, encode_public
from vreader.minidriver.abi.codes import Calg, KeySpec, Padding
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_INFO,
)
from vreader.minidriver.drivers.piv import PivMinidriver
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    KdfParameter,
    Oaep,
    Pkcs1,
    Pss,
    SigningInfo,
)
from vreader.winscard.codes import SCARD, Win32

PADDED, SIZE_ONLY = 0x40000000, 0x20000000
MESSAGE = b"what is to be signed"
DIGEST = hashlib.sha256(MESSAGE).digest()
A9, C9, D9, E9, RETIRED_EC, RETIRED_RSA = range(6)
UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE


def public(driven, container):
    info = driven.md.CardGetContainerInfo(container, 0, ContainerInfo())
    return decode_public(info.exchange or info.signature)


def test_the_class_minidriver_takes_it(piv):
    assert isinstance(piv.md, PivMinidriver)


def test_the_files_of_windows(piv):
    md = piv.md
    guid = md.CardReadFile(None, "cardid", 0)
    assert len(guid) == 16
    assert md.CardReadFile("", "CARDCF", 0) == bytes(6)
    assert md.CardReadFile(None, "cardapps", 0) == b"mscp\0\0\0\0"
    assert md.CardEnumFiles(None, 0) == ["cardid", "cardcf", "cardapps"]
    names = ["cmapfile", "kxc00", "ksc01", "kxc02", "ksc03", "kxc04", "kxc05"]
    assert md.CardEnumFiles("mscp", 0) == names
    assert code_of(md.CardReadFile, "mscp", "msroots", 0) is SCARD.E_FILE_NOT_FOUND
    assert code_of(md.CardReadFile, "mscp", "ksc00", 0) is SCARD.E_FILE_NOT_FOUND
    assert code_of(md.CardReadFile, "other", "cmapfile", 0) is SCARD.E_DIR_NOT_FOUND
    assert md.CardGetFileInfo(None, "cardid", CARD_FILE_INFO()) == CARD_FILE_INFO(1, 16, 3)
    for number, name in enumerate(names[1:]):
        certificate = x509.load_der_x509_certificate(md.CardReadFile("mscp", name, 0))
        assert certificate.public_key() == public(piv, number)[0]


def test_the_container_map(piv):
    records = decode_container_map(piv.md.CardReadFile("mscp", "cmapfile", 0))
    assert [(r.flags, r.signature_bits, r.exchange_bits) for r in records] == [
        (3, 0, 2048), (1, 2048, 0), (1, 0, 256), (1, 384, 0), (1, 0, 384), (1, 0, 2048),
    ]  # fmt: skip
    assert len({r.name for r in records}) == 6
    assert all(len(r.name) == 36 for r in records)


def test_an_index_without_key_has_an_empty_record():
    with driving(new_card("piv", "neutral", ["9c:p256"])) as driven:
        first, second = decode_container_map(driven.md.CardReadFile("mscp", "cmapfile", 0))
        assert (first, second.flags) == (Container(), 3)
        no_key = code_of(driven.md.CardGetContainerInfo, 0, 0, ContainerInfo())
        assert no_key is SCARD.E_NO_KEY_CONTAINER
        assert code_of(driven.md.CardGetContainerInfo, 255, 0, ContainerInfo()) is no_key


def test_a_card_without_certificates_is_empty():
    with driving(new_card("piv")) as driven:
        assert driven.md.CardReadFile("mscp", "cmapfile", 0) == b""
        assert driven.md.CardEnumFiles("mscp", 0) == ["cmapfile"]


def test_a_compressed_certificate():
    card = new_card("piv", "neutral", ["9a:p256"])
    with driving(card) as driven:
        der = driven.md.CardReadFile("mscp", "ksc00", 0)
    state = piv_state(card)
    packed = gzip.compress(der)
    for raw, readable in ((packed, True), (packed[:-20], False), (bytes(9), False)):
        content = bytes(Tlv(0x70, raw)) + bytes(Tlv(0x71, b"\1")) + bytes(Tlv(0xFE))
        state.put_object(0x5FC105, content)
        state.area.commit()
        with driving(card) as driven:
            if readable:
                assert driven.md.CardReadFile("mscp", "ksc00", 0) == der
            else:
                assert driven.md.CardEnumFiles("mscp", 0) == ["cmapfile"]


def test_a_card_without_chuid_still_has_an_identifier():
    card = new_card("piv", "neutral")
    state = piv_state(card)
    state.put_object(0x5FC102, b"")
    state.area.commit()
    with driving(card) as driven:
        assert len(driven.md.CardReadFile(None, "cardid", 0)) == 16


def test_it_is_read_only(piv):
    md = piv.md
    for call, *parameters in (
        (md.CardCreateContainer, 0, 1, 1, 2048, None),
        (md.CardCreateContainerEx, 0, 1, 1, 2048, None, 1),
        (md.CardDeleteContainer, 0, 0),
        (md.CardSetContainerProperty, 0, "PIN Identifier", bytes(4), 0),
        (md.CardCreateDirectory, "new", 1),
        (md.CardDeleteDirectory, "mscp"),
        (md.CardCreateFile, None, "new", 1, 1),
        (md.CardWriteFile, None, "cardcf", 0, bytes(6)),
        (md.CardDeleteFile, None, "cardcf", 0),
        (md.CardSetProperty, "Card Identifier", bytes(16), 0),
    ):
        assert code_of(call, *parameters) is UNSUPPORTED
    space = CARD_FREE_SPACE_INFO(1, 0, 0, 24)
    assert md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO()) == space
    assert md.CardQueryCapabilities(CARD_CAPABILITIES()) == CARD_CAPABILITIES(1, True, False)
    md.CardSetProperty("Parent Window", bytes(8), 0)
    md.CardSetProperty("PIN Context String", "text\0".encode("utf-16-le"), 0)


def test_properties(piv):
    md = piv.md
    room = bytes(64)

    def number(name, flags=0):
        return int.from_bytes(md.CardGetProperty(name, room, flags), "little")

    assert number("Read Only Mode") == 1
    assert number("Supports Windows x.509 Enrollment") == 0
    assert number("Cache Mode") == 2
    assert number("PIN List") == 0b1110
    assert number("Authenticated State") == 0
    assert number("PIN Strength Verify", 1) == number("PIN Strength Unblock", 1) == 1
    assert number("Key Import Support") == 0
    assert md.CardGetProperty("Card Identifier", room, 0) == md.CardReadFile(None, "cardid", 0)
    sizes = CARD_KEY_SIZES.decode(md.CardGetProperty("Key Sizes", room, KeySpec.KEYEXCHANGE))
    assert sizes == CARD_KEY_SIZES(1, 1024, 2048, 4096, 1024)
    info = PIN_INFO.decode(md.CardGetProperty("PIN Information", PIN_INFO().encode(), 1))
    assert (info.PinType, info.PinPurpose, info.dwUnblockPermission) == (0, 5, 4)
    short = error_of(md.CardGetProperty, "Card Identifier", bytes(15), 0)
    assert (short.code, short.length) == (Win32.INSUFFICIENT_BUFFER, 16)
    invalid = SCARD.E_INVALID_PARAMETER
    assert code_of(md.CardGetProperty, "PIN Information", PIN_INFO().encode(), 5) is invalid
    assert code_of(md.CardGetProperty, "Algorithms", room, 1) is invalid
    pins = [md.CardGetContainerProperty(i, "PIN Identifier", room, 0)[0] for i in range(5)]
    assert pins == [1, 3, 1, 0, 1]
    assert code_of(md.CardGetContainerProperty, 0, "Associated ECDH Key", room, 0) is invalid


@pytest.mark.parametrize(("container", "spec"), [(A9, KeySpec.KEYEXCHANGE), (C9, 2)])
def test_pkcs1_signatures(piv, container, spec):
    key, _ = public(piv, container)
    for info in (
        SigningInfo(container, spec, DIGEST, Calg.SHA_256, version=1),
        SigningInfo(container, spec, DIGEST, 0, PADDED, Pkcs1("SHA256"), Padding.PKCS1),
    ):
        piv.md.CardAuthenticatePin("user", USER_PIN)
        signature = piv.md.CardSignData(info)[::-1]
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert piv.md.CardSignData(info._replace(flags=PADDED | SIZE_ONLY)) == 256


def test_pss_and_bare_signatures(piv):
    md = piv.md
    key, _ = public(piv, A9)
    md.CardAuthenticatePin("user", USER_PIN)
    info = SigningInfo(A9, 1, DIGEST, 0, PADDED, Pss("SHA256", 32), Padding.PSS)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    key.verify(md.CardSignData(info)[::-1], DIGEST, pss, Prehashed(hashes.SHA256()))
    tls = SigningInfo(A9, 1, bytes(range(36)), Calg.SSL3_SHAMD5, version=1)
    signature = int.from_bytes(md.CardSignData(tls), "little")
    numbers = key.public_numbers()
    block = pow(signature, numbers.e, numbers.n).to_bytes(256, "big")
    assert block == b"\0\1" + b"\xff" * 217 + b"\0" + bytes(range(36))
    unpadded = SigningInfo(A9, 1, block, 0, PADDED, None, Padding.NONE)
    assert md.CardSignData(unpadded) == md.CardSignData(tls)
    unknown = code_of(md.CardSignData, SigningInfo(A9, 1, DIGEST, 0x8001, version=1))
    assert unknown is UNSUPPORTED
    assert code_of(md.CardSignData, info._replace(padding=Pss("X", 1))) is UNSUPPORTED
    for wrong in (
        info._replace(key_spec=2),
        info._replace(padding=Pkcs1()),
        info._replace(data=DIGEST[1:]),
        unpadded._replace(data=DIGEST),
    ):
        assert code_of(md.CardSignData, wrong) is SCARD.E_INVALID_PARAMETER


def test_an_ecdsa_signature_is_r_and_s(piv):
    key, spec = public(piv, E9)
    for algorithm in (hashes.SHA1, hashes.SHA256, hashes.SHA512):
        digest = hashlib.new(algorithm.name, MESSAGE).digest()
        signature = piv.md.CardSignData(SigningInfo(E9, spec, digest))
        asked = next(c for c in reversed(piv.commands) if c[1] == 0x87)
        assert asked[5:].startswith(bytes.fromhex("7C3482008130"))
        assert len(signature) == 96
        r, s = (int.from_bytes(part, "big") for part in (signature[:48], signature[48:]))
        key.verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(algorithm()))
    assert piv.md.CardSignData(SigningInfo(E9, spec, DIGEST, flags=SIZE_ONLY)) == 96
    refused = code_of(piv.md.CardSignData, SigningInfo(D9, KeySpec.ECDSA_P256, DIGEST))
    assert refused is SCARD.E_INVALID_PARAMETER


@pytest.mark.parametrize("container", [A9, RETIRED_RSA])
def test_decryption(piv, container):
    md = piv.md
    key, _ = public(piv, container)
    md.CardAuthenticatePin("user", USER_PIN)
    cipher = key.encrypt(MESSAGE, padding.PKCS1v15())[::-1]
    info = DecryptInfo(container, 1, cipher, None, Padding.PKCS1)
    assert md.CardRSADecrypt(info)[::-1] == MESSAGE
    raw = md.CardRSADecrypt(info._replace(padding_type=Padding.NONE))[::-1]
    assert raw.startswith(b"\0\2")
    assert raw.endswith(b"\0" + MESSAGE)
    assert len(raw) == 256
    old = piv.acquire(6)
    assert old.CardRSADecrypt(info._replace(version=1, padding_type=0))[::-1] == raw
    sha = hashes.SHA256()
    oaep = key.encrypt(MESSAGE, padding.OAEP(padding.MGF1(sha), sha, b"label"))[::-1]
    info = DecryptInfo(container, 1, oaep, Oaep("SHA256", b"label"), Padding.OAEP)
    assert md.CardRSADecrypt(info)[::-1] == MESSAGE
    assert code_of(md.CardRSADecrypt, info._replace(data=oaep[1:])) is SCARD.E_INVALID_PARAMETER


@pytest.mark.parametrize("container", [D9, RETIRED_EC])
def test_key_agreement(piv, container):
    md = piv.md
    key, spec = public(piv, container)
    ours = ec.generate_private_key(key.curve)
    blob = encode_public(ours.public_key(), spec)
    assert code_of(md.CardConstructDHAgreement, DhAgreementInfo(container, blob)) is (
        SCARD.W_SECURITY_VIOLATION
    )
    md.CardAuthenticatePin("user", USER_PIN)
    secret = md.CardConstructDHAgreement(DhAgreementInfo(container, blob))
    other = md.CardConstructDHAgreement(DhAgreementInfo(container, blob))
    assert other != secret
    sha = KdfParameter(0, "SHA256\0".encode("utf-16-le"))
    derived = md.CardDeriveKey(DeriveKeyInfo("HASH", secret, (sha,)))
    assert derived == hashlib.sha256(ours.exchange(ec.ECDH(), key)).digest()
    assert md.CardDeriveKey(DeriveKeyInfo("HASH", secret, (sha,), SIZE_ONLY)) == 32
    handle = DeriveKeyInfo("HASH", secret, (sha,), 0x1000000)
    assert code_of(md.CardDeriveKey, handle) is UNSUPPORTED
    md.CardDestroyDHAgreement(secret, 0)
    invalid = SCARD.E_INVALID_PARAMETER
    assert code_of(md.CardDestroyDHAgreement, secret, 0) is invalid
    assert code_of(md.CardDeriveKey, DeriveKeyInfo("HASH", secret)) is invalid
    for wrong in (
        DhAgreementInfo(A9, blob),
        DhAgreementInfo(container, blob[:-1]),
        DhAgreementInfo(D9 + RETIRED_EC - container, blob),
        DhAgreementInfo(container, blob[:-1] + bytes((blob[-1] ^ 1,))),  # beside the curve
    ):
        assert code_of(md.CardConstructDHAgreement, wrong) is invalid


def test_a_reset_card_is_selected_again(piv):
    sign = SigningInfo(A9, 1, DIGEST, Calg.SHA_256, version=1)
    piv.md.CardAuthenticatePin("user", USER_PIN)
    piv.md.CardSignData(sign)
    piv.reset()
    assert code_of(piv.md.CardSignData, sign) is SCARD.W_SECURITY_VIOLATION
    piv.md.CardAuthenticatePin("user", USER_PIN)
    assert isinstance(public(piv, A9)[0], rsa.RSAPublicKey)
    piv.md.CardSignData(sign)


def test_a_signature_is_one_command_and_its_links(piv):
    sign = SigningInfo(A9, 1, DIGEST, Calg.SHA_256, version=1)
    piv.md.CardAuthenticatePin("user", USER_PIN)
    piv.md.CardSignData(sign)
    piv.commands.clear()
    piv.md.CardSignData(sign)
    assert [(c[0], c[1]) for c in piv.commands] == [(0x10, 0x87), (0, 0x87), (0, 0xC0)]
