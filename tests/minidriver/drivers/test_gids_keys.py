# SPDX-License-Identifier: Apache-2.0
"""Keys of a GIDS card through its minidriver, checked with ``cryptography``."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from driving import (
    USER_PIN,
    code_of,
    driving,
    new_card,
)

from cards.gids.build import gids_state
from vreader import cardfs as fs
from vreader.cardfs import decode_container_map, expand_certificate
from vreader.minidriver.abi.blobs import decode_public, encode_private
from vreader.minidriver.abi.codes import Calg, KeySpec, Padding
from vreader.minidriver.abi.structs import (
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.drivers.link import CODES
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


# ---------------------------------------------------------------------- keys that are not as ours


class Failing:
    """A card that answers one instruction with a status word."""

    def __init__(self, inner):
        self.inner, self.ins, self.sw = inner, None, b""

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def transmit(self, c_apdu):
        if c_apdu[1] == self.ins:
            return self.sw
        return self.inner.transmit(c_apdu)


def sign(md, container, spec=KeySpec.ECDSA_P256):
    return md.CardSignData(SigningInfo(container, spec, DIGEST))


@pytest.mark.parametrize(
    ("ins", "sw"), [(0x47, "6A84"), (0xE0, "6A84"), (0x44, "6581"), (0xDB, "6581")]
)
def test_a_key_that_cannot_be_replaced_stays(ins, sw):
    card = Failing(new_card("gids"))
    with driving(card) as driven:
        md = driven.md
        md.CardAuthenticatePin("user", USER_PIN)
        md.CardCreateContainer(0, GENERATE, KeySpec.ECDSA_P256, 0, None)
        before = public(md, 0, exchange=False)
        files = gids_state(card.inner).files()
        card.ins, card.sw = ins, bytes.fromhex(sw)
        failed = code_of(md.CardCreateContainer, 0, GENERATE, KeySpec.ECDSA_P384, 0, None)
        assert failed is CODES[int(sw, 16)]
        card.ins = None
        assert public(md, 0, exchange=False) == before
        assert len(sign(md, 0)) == 64
        assert gids_state(card.inner).files() == files
        md.CardCreateContainer(0, GENERATE, KeySpec.ECDSA_P384, 0, None)
        assert public(md, 0, exchange=False).key_size == 384
        assert len(gids_state(card.inner).files()) == len(files)


def test_a_failure_to_clean_up_does_not_hide_the_reason():
    card = Failing(new_card("gids"))
    with driving(card) as driven:
        driven.md.CardAuthenticatePin("user", USER_PIN)
        card.ins, card.sw = 0x47, bytes.fromhex("6A84")
        inner, card.inner = card.inner, Failing(card.inner)
        card.inner.ins, card.inner.sw = 0xE4, bytes.fromhex("6F00")
        failed = code_of(driven.md.CardCreateContainer, 0, GENERATE, 3, 0, None)
        assert failed is SCARD.E_WRITE_TOO_MANY
        card.ins, card.inner = None, inner
        driven.md.CardCreateContainer(0, GENERATE, 3, 0, None)
        assert len(sign(driven.md, 0)) == 64


def test_files_of_keys_that_are_not_numbered_as_containers():
    card = new_card("gids")
    with driving(card) as driven:
        md = driven.md
        md.CardAuthenticatePin("user", USER_PIN)
        for container in (0, 1):
            md.CardCreateContainer(container, GENERATE, KeySpec.ECDSA_P256, 0, None)
        theirs = public(md, 1, exchange=False)
        state = gids_state(card)
        entries = fs.decode_key_map(state.object(0xA000, fs.KEY_MAP))
        swapped = [entries[1], entries[0]._replace(valid=False), entries[0]]
        state.put_object(0xA000, fs.KEY_MAP, fs.encode_key_map(swapped))
        state.area.commit()
        md.CardCreateContainer(1, GENERATE, KeySpec.ECDSA_P384, 0, None)
        assert public(md, 0, exchange=False) == theirs
        md.CardDeleteContainer(1, 0)
        for container in (0, 2):
            assert len(sign(md, container)) == 64


def test_a_container_whose_key_is_gone():
    card = new_card("gids", "", ["kx:rsa2048"])
    state = gids_state(card)
    state.delete_file(state.file(0xB081))
    state.area.commit()
    with driving(card) as driven:
        md, gone = driven.md, SCARD.E_NO_KEY_CONTAINER
        md.CardAuthenticatePin("user", USER_PIN)
        assert code_of(md.CardGetContainerInfo, 0, 0, ContainerInfo()) is gone
        assert code_of(md.CardSignData, SigningInfo(0, 1, DIGEST, Calg.SHA_256, version=1)) is gone
        decrypt = DecryptInfo(0, 1, bytes(256), None, Padding.PKCS1)
        assert code_of(md.CardRSADecrypt, decrypt) is gone
        md.CardDeleteContainer(0, 0)
        md.CardCreateContainer(0, GENERATE, KeySpec.ECDSA_P256, 0, None)
        assert len(sign(md, 0)) == 64


def test_what_another_context_did_to_the_containers(gids):
    md, other = gids.md, gids.acquire()
    md.CardAuthenticatePin("user", USER_PIN)
    md.CardCreateContainer(0, GENERATE, KeySpec.ECDSA_P256, 0, None)
    first = public(md, 0, exchange=False)
    assert public(other, 0, exchange=False) == first
    other.CardCreateContainer(0, GENERATE, KeySpec.ECDSA_P384, 0, None)
    assert public(md, 0, exchange=False).key_size == 384
    assert code_of(sign, md, 0) is INVALID
    other.CardDeleteContainer(0, 0)
    assert code_of(sign, md, 0) is SCARD.E_NO_KEY_CONTAINER
    assert code_of(md.CardGetContainerProperty, 0, "PIN Identifier", bytes(4), 0) is (
        SCARD.E_NO_KEY_CONTAINER
    )
