# SPDX-License-Identifier: Apache-2.0
"""The host with the class minidriver on the cards of this project."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from real_cards import GIDS, PIV, Transcript, desk_with, known_card

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import SecretType
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.host.cardkey import card_key
from vreader.minidriver.module import Module
from vreader.minidriver.traced import Traced
from vreader.reader.finger import Key, PinQueue
from vreader.smclib.ioctl import SCARD_CTL_CODE
from vreader.winscard.codes import SCARD

DATA = b"to be signed"
# PIN_VERIFY_STRUCTURE for a PIV card: ASCII digits in eight bytes filled with FF.
VERIFY = bytes.fromhex("1E1E 82 08 00 0806 02 FF 0904 00 000000 0D000000 0020008008" + "FF" * 8)
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(params=[PIV, GIDS], ids=["PIV", "GIDS"])
def desk(request):
    desk = desk_with(request.param)
    yield desk
    desk.close()


@pytest.fixture
def piv():
    desk = desk_with(PIV)
    yield desk
    desk.close()


@pytest.fixture
def gids():
    desk = desk_with(GIDS)
    yield desk
    desk.close()


def each_key(provider):
    for container in provider.containers():
        for key in container.keys:
            yield container.number, key.spec, key.public


def test_keys_and_certificates_belong_together(desk):
    provider = desk.open()
    found = list(each_key(provider))
    assert len(found) >= 2
    for container, spec, public in found:
        der = provider.certificate(container, spec)
        assert x509.load_der_x509_certificate(der).public_key() == public


def test_every_key_that_signs(desk):
    provider = desk.open()
    sha256 = hashes.SHA256()
    signed = 0
    for container, spec, public in each_key(provider):
        if not spec.is_rsa and spec.is_exchange:
            continue
        key = card_key(provider, container, spec)
        if isinstance(public, rsa.RSAPublicKey):
            for pad in (padding.PKCS1v15(), padding.PSS(padding.MGF1(sha256), 32)):
                public.verify(key.sign(DATA, pad, sha256), DATA, pad, sha256)
        else:
            public.verify(key.sign(DATA, ec.ECDSA(sha256)), DATA, ec.ECDSA(sha256))
        signed += 1
    assert signed >= 2
    assert desk.prompt.asked in (1, 2)


def test_rsa_keys_decrypt(desk):
    provider = desk.open()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    for container, spec, public in each_key(provider):
        if spec is KeySpec.KEYEXCHANGE:
            key = card_key(provider, container, spec)
            for pad in (padding.PKCS1v15(), oaep):
                assert key.decrypt(public.encrypt(DATA, pad), pad) == DATA


def test_agreement_on_piv(piv):
    provider = piv.open()
    mine = ec.generate_private_key(ec.SECP384R1())
    specs = {spec: (number, public) for number, spec, public in each_key(provider)}
    number, public = specs[KeySpec.ECDHE_P384]
    secret = mine.exchange(ec.ECDH(), public)
    assert provider.agree(mine.public_key(), number) == hashlib.sha256(secret).digest()


def test_pins(desk):
    recipe_pin = desk.prompt.answers[0]
    provider = desk.open()
    provider.change_pin(recipe_pin, "87654321")
    desk.wait()
    desk.prompt.answers = ["87654321"]
    number, spec, _ = next(each_key(desk.open()))
    assert desk.open().sign(DATA, number, spec=spec)


def block(desk, provider):
    desk.prompt.answers = ["99999999"]
    with pytest.raises(MinidriverError) as caught:
        provider.sign(DATA, 0)
    assert caught.value.code is SCARD.W_CHV_BLOCKED


def test_unblocking_with_the_puk_of_piv(piv):
    provider = piv.open()
    block(piv, provider)
    with pytest.raises(MinidriverError) as caught:
        provider.unblock("654321", "00000000")
    assert caught.value.code is SCARD.W_WRONG_CHV
    provider.unblock("654321", "12345678")
    piv.wait()
    piv.prompt.answers = ["654321"]
    assert piv.open().sign(DATA, 0)


def test_unblocking_with_the_admin_key_of_gids(gids):
    def respond(challenge):
        key = TripleDES(bytes(range(1, 9)) * 3)
        encryptor = Cipher(key, CBC(bytes(8))).encryptor()
        return encryptor.update(challenge) + encryptor.finalize()

    provider = gids.open()
    block(gids, provider)
    with pytest.raises(MinidriverError):
        provider.unblock("87654321", bytes)
    provider.unblock("87654321", respond)
    gids.wait()
    gids.prompt.answers = ["87654321"]
    other = gids.open()
    assert other.sign(DATA, 0)
    other.authenticate_admin(respond)
    assert 2 in other.csp.run(other.csp.pins.authenticated)


def test_life_of_a_key_on_gids(gids):
    provider = gids.open()
    made = provider.generate(KeySpec.ECDSA_P256, name="new")
    provider.write_certificate(b"0" * 100, "new")
    gids.wait()
    other = gids.open()
    assert other.certificate("new") == b"0" * 100
    signature = card_key(other, made.number, KeySpec.ECDSA_P256).sign(
        DATA, ec.ECDSA(hashes.SHA256())
    )
    made.keys[0].public.verify(signature, DATA, ec.ECDSA(hashes.SHA256()))
    other.delete("new")
    gids.wait()
    assert "new" not in [one.name for one in provider.containers()]


class WithPinpad(Module):
    """The class minidriver with a user PIN that is typed at the reader."""

    def __init__(self, api, card):
        super().__init__(api)
        self.told = {}

    def CardAcquireContext(self, data, flags):
        context = ClassMinidriver(self.api).CardAcquireContext(data, flags)
        get, set_, authenticate = (
            context.CardGetProperty,
            context.CardSetProperty,
            context.CardAuthenticateEx,
        )

        def get_property(name, buffer, flags):
            value = get(name, buffer, flags)
            if name != "PIN Information":
                return value
            return replace(PIN_INFO.decode(value), PinType=SecretType.EXTERNAL).encode()

        def set_property(name, value, flags):
            self.told[name] = value
            set_(name, value, flags)

        def authenticate_ex(pin_id, flags, pin):
            if pin is not None:
                return authenticate(pin_id, flags, pin)
            sw = self.api.SCardControl(data.card, SCARD_CTL_CODE(2048 + 6), VERIFY, 2)
            if sw == b"\x64\x01":
                raise MinidriverError(SCARD.W_CANCELLED_BY_USER)
            if sw[0] == 0x63:
                raise MinidriverError(SCARD.W_WRONG_CHV, attempts=sw[1] & 15)
            assert sw == b"\x90\x00"
            return None

        context.CardGetProperty = get_property
        context.CardSetProperty = set_property
        context.CardAuthenticateEx = authenticate_ex
        return context


def test_a_pinpad_asks_for_an_external_pin():
    finger = PinQueue(["111111", "123456", Key.CANCEL])
    desk = desk_with(PIV, module=WithPinpad, pinpad=finger)
    provider = desk.open(text="to sign")
    (public,) = [key.public for key in provider.containers()[0].keys]
    signature = provider.sign(DATA, 0)
    public.verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    assert desk.prompt.asked == 0
    assert desk.module.told["PIN Context String"] == "to sign\0".encode("utf-16-le")
    assert len(desk.module.told["Parent Window"]) == 8
    desk.wait()  # nothing is kept of a PIN that nobody here has seen
    with pytest.raises(MinidriverError) as caught:
        provider.sign(DATA, 0)
    assert caught.value.code is SCARD.W_CANCELLED_BY_USER
    desk.close()


def test_sign_twice_wait_sign(tmp_path):
    """With VREADER_WRITE_GOLDEN the file is written anew: look at what has changed."""
    desk = desk_with(known_card(tmp_path))
    transcript = Transcript(desk)
    provider = desk.open(module=Traced(desk.module, desk.host.events, clock=desk.clock))
    transcript.say("sign")
    provider.sign(DATA)
    transcript.say("sign")
    provider.sign(DATA)
    transcript.say("wait")
    desk.wait()
    transcript.say("sign")
    provider.sign(DATA)
    transcript.say("close")
    provider.close()
    desk.close()
    path = GOLDEN / "sign-twice-wait-sign.txt"
    if os.environ.get("VREADER_WRITE_GOLDEN"):
        path.write_text(str(transcript))
    assert str(transcript) == path.read_text()
    assert desk.prompt.asked == 1
