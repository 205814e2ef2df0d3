# SPDX-License-Identifier: Apache-2.0
"""What an application does with a card, from an empty one on."""

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from host_desk import CARD_NAME
from memory_card import PIN, PUK, answer

from vreader.minidriver.abi.codes import CacheMode, KeySpec
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host.policy import CSP_KEY, KSP_KEY
from vreader.minidriver.values import ContainerInfo, Oaep
from vreader.winscard.codes import SCARD

DATA = b"to be signed"
RSA_KEY = rsa.generate_private_key(65537, 2048)


def code(call, *args, **kwargs):
    with pytest.raises(MinidriverError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def allow_imports(desk, ksp=True):
    names = ["Signature", "Exchange", "ECDHE", "ECDSA"]
    key = KSP_KEY if ksp else CSP_KEY
    desk.policy(key, **{f"AllowPrivate{name}KeyImport": 1 for name in names})


@pytest.fixture(params=[True, False], ids=["KSP", "CSP"])
def provider(request, desk):
    allow_imports(desk, request.param)
    return desk.open(ksp=request.param)


def test_an_empty_card_has_nothing(desk):
    assert desk.open().containers() == []
    assert code(desk.open().sign, DATA) is SCARD.E_NO_KEY_CONTAINER


def test_rsa_signatures_of_both_providers(provider):
    made = provider.import_key(RSA_KEY, KeySpec.KEYEXCHANGE, name="mine")
    assert (made.number, made.name, made.default) == (0, "mine", True)
    for algorithm, used in (("SHA1", hashes.SHA1()), ("SHA512", hashes.SHA512())):
        signature = provider.sign(DATA, "mine", algorithm=algorithm)
        RSA_KEY.public_key().verify(signature, DATA, padding.PKCS1v15(), used)


def test_pss_is_for_the_ksp_alone(desk):
    allow_imports(desk)
    allow_imports(desk, ksp=False)
    ksp = desk.open()
    ksp.import_key(RSA_KEY, KeySpec.SIGNATURE)
    signature = ksp.sign(DATA, pss_salt=20)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 20)
    RSA_KEY.public_key().verify(signature, DATA, pss, hashes.SHA256())
    assert code(desk.open(ksp=False).sign, DATA, pss_salt=20) is NTE.NOT_SUPPORTED


@pytest.mark.parametrize("version", [4, 6, 7])
def test_decryption_whoever_removes_the_padding(desk, version):
    allow_imports(desk)
    provider = desk.open(version=version)
    provider.import_key(RSA_KEY, KeySpec.KEYEXCHANGE)
    public = RSA_KEY.public_key()
    assert provider.decrypt(public.encrypt(DATA, padding.PKCS1v15())) == DATA
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"label")
    secret = public.encrypt(DATA, oaep)
    assert provider.decrypt(secret, padding=Oaep("SHA256", b"label")) == DATA
    assert code(provider.decrypt, secret, padding=Oaep("SHA256", b"lapel")) is NTE.BAD_DATA
    assert code(provider.decrypt, secret[:-1]) is NTE.BAD_LEN
    assert provider.decrypt(secret, padding=None)[0] == 0


def test_oaep_is_for_the_ksp_alone(desk):
    allow_imports(desk, ksp=False)
    provider = desk.open(ksp=False)
    provider.import_key(RSA_KEY, KeySpec.KEYEXCHANGE)
    assert code(provider.decrypt, bytes(256), padding=Oaep("SHA1")) is NTE.NOT_SUPPORTED


@pytest.mark.parametrize("spec", [KeySpec.ECDSA_P256, KeySpec.ECDSA_P384, KeySpec.ECDSA_P521])
def test_keys_on_curves_are_made_on_the_card(desk, spec):
    provider = desk.open()
    made = provider.generate(spec)
    signature = provider.sign(DATA, made.number)
    half = -(-spec.bits // 8)
    assert len(signature) == 2 * half
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    made.keys[0].public.verify(encode_dss_signature(r, s), DATA, ec.ECDSA(hashes.SHA256()))


def test_curves_are_for_the_ksp_alone(desk):
    desk.open().generate(KeySpec.ECDSA_P256, name="sign")
    desk.open().generate(KeySpec.ECDHE_P256, name="agree")
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    csp = desk.open(ksp=False)
    assert code(csp.generate, KeySpec.ECDSA_P256) is NTE.BAD_ALGID
    assert code(csp.sign, DATA, "sign") is NTE.NOT_SUPPORTED
    assert code(csp.agree, other, "agree") is NTE.NOT_SUPPORTED


def test_agreement_derives_the_same_key_on_both_sides(desk):
    provider = desk.open()
    made = provider.generate(KeySpec.ECDHE_P256)
    mine = ec.generate_private_key(ec.SECP256R1())
    derived = provider.agree(mine.public_key())
    import hashlib

    secret = mine.exchange(ec.ECDH(), made.keys[0].public)
    assert derived == hashlib.sha256(secret).digest()
    other = ec.generate_private_key(ec.SECP384R1())
    assert code(provider.agree, other.public_key()) is NTE.BAD_KEY


def test_the_host_makes_keys_for_a_card_that_makes_none(desk):
    desk.module.key_gen = False
    provider = desk.open()
    assert provider.generate(KeySpec.ECDSA_P256).keys[0].spec is KeySpec.ECDSA_P256
    desk.policy(KSP_KEY, RequireOnCardPrivateKeyGen=1)
    assert code(desk.open().generate, KeySpec.ECDSA_P256) is NTE.NOT_SUPPORTED


def test_sizes_of_new_rsa_keys(desk):
    provider = desk.open()
    assert provider.generate().keys[0].public.key_size == 1024
    assert code(provider.generate, bits=1025) is NTE.BAD_LEN
    assert code(provider.generate, bits=512) is NTE.BAD_LEN
    assert code(provider.generate, KeySpec.ECDSA_P256, bits=384) is NTE.BAD_LEN
    desk.policy(KSP_KEY, DefaultPrivateKeyLenBits=512)
    assert desk.open().generate().keys[0].public.key_size == 2048  # what the card says then


def test_imports_need_a_policy(desk):
    provider = desk.open()
    assert code(provider.import_key, RSA_KEY, KeySpec.SIGNATURE) is NTE.PERM
    desk.policy(KSP_KEY, AllowPrivateSignatureKeyImport=1)
    provider = desk.open()
    provider.import_key(RSA_KEY, KeySpec.SIGNATURE)
    assert code(provider.import_key, RSA_KEY, KeySpec.KEYEXCHANGE) is NTE.PERM


def test_two_keys_in_one_container_and_no_third(desk):
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256, name="both")
    provider.generate(KeySpec.ECDHE_P256, name="both")
    (both,) = provider.containers()
    assert [key.spec for key in both.keys] == [KeySpec.ECDSA_P256, KeySpec.ECDHE_P256]
    assert code(provider.generate, KeySpec.ECDSA_P384, name="both") is NTE.EXISTS
    for name in ("n" * 40, "back\\slash", "nu\0l"):
        assert code(provider.generate, KeySpec.ECDSA_P256, name=name) is SCARD.E_INVALID_PARAMETER


def test_a_failed_key_leaves_no_container(desk):
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256, name="there")

    def fail(name):
        if name == "CardCreateContainer":
            raise MinidriverError(SCARD.E_UNEXPECTED)

    desk.module.before = fail
    assert code(provider.generate, KeySpec.ECDSA_P256) is SCARD.E_UNEXPECTED
    desk.module.before = lambda name: None
    assert [one.name for one in provider.containers()] == ["there"]


def test_deleted_containers_are_used_again(desk):
    provider = desk.open()
    for name in ("a", "b", "c"):
        provider.generate(KeySpec.ECDSA_P256, name=name)
    provider.write_certificate(b"0certificate", "b")
    provider.delete("b")
    assert [(one.number, one.name) for one in provider.containers()] == [(0, "a"), (2, "c")]
    assert ("mscp", "ksc01") not in desk.card.files
    assert provider.generate(KeySpec.ECDSA_P256, name="d").number == 1
    assert provider.certificate("d") is None
    for _ in range(5):
        provider.generate(KeySpec.ECDSA_P256)
    assert code(provider.generate, KeySpec.ECDSA_P256) is NTE.TOKEN_KEYSET_STORAGE_FULL


@pytest.mark.parametrize("compresses", [True, False])
def test_certificates_are_compressed_by_the_card_or_by_the_host(desk, compresses):
    desk.module.compresses = compresses
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256)
    der = b"\x30\x82" + bytes(500)
    provider.write_certificate(der)
    stored = desk.card.files["mscp", "ksc00"][1]
    assert (stored == der) is compresses
    assert compresses or (stored[:4] == b"\x01\x00\xf6\x01" and len(stored) < 100)
    assert provider.certificate() == der


def test_enrolment(desk):
    ca = ec.generate_private_key(ec.SECP256R1())

    def issue(request):
        import datetime

        assert request.is_signature_valid
        now = datetime.datetime(2026, 1, 1)
        return (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(x509.Name.from_rfc4514_string("CN=ca"))
            .public_key(request.public_key())
            .serial_number(1)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(ca, hashes.SHA256())
        )

    for spec in (KeySpec.SIGNATURE, KeySpec.ECDSA_P256):
        provider = desk.open()
        done = provider.enrol("CN=alice", issue, spec=spec, name=spec.name)
        stored = x509.load_der_x509_certificate(provider.certificate(spec.name))
        assert stored == done.certificate
        assert stored.public_key() == done.container.keys[0].public


def test_enrolment_that_is_refused_leaves_nothing(desk):
    provider = desk.open()

    def refuse(request):
        raise InvalidSignature

    with pytest.raises(InvalidSignature):
        provider.enrol("CN=alice", refuse, spec=KeySpec.ECDSA_P256)
    assert provider.containers() == []


def test_a_read_only_card(desk):
    desk.open().generate(KeySpec.ECDSA_P256)
    desk.module.read_only = True
    provider = desk.open()
    assert provider.sign(DATA)
    assert code(provider.generate, KeySpec.ECDSA_P256) is SCARD.E_READ_ONLY_CARD
    assert code(provider.delete, 0) is SCARD.E_READ_ONLY_CARD
    assert code(provider.write_certificate, b"0") is SCARD.E_READ_ONLY_CARD


@pytest.mark.parametrize("version", [4, 5, 6, 7])
def test_pins_are_changed_and_unblocked_in_every_version(desk, version):
    provider = desk.open(version=version)
    provider.generate(KeySpec.ECDSA_P256)
    assert code(provider.change_pin, "0000", "4321") is SCARD.W_WRONG_CHV
    provider.change_pin(PIN, "4321")
    desk.prompt.answers = ["1111"]
    other = desk.open(version=version)
    assert code(other.sign, DATA) is SCARD.W_CHV_BLOCKED
    if version >= 6:
        assert code(other.unblock, "1212", "00000000") is SCARD.W_WRONG_CHV
        other.unblock("1212", PUK)
    else:
        other.unblock("1212", answer)
    desk.prompt.answers = ["1212"]
    assert other.sign(DATA)
    assert desk.card.pins[1] == b"1212"


def test_unblocking_by_the_administrator(desk):
    desk.open().unblock("9999", answer, by=2)
    assert desk.card.pins[1] == b"9999"
    desk.open().authenticate_admin(answer)
    assert 2 in desk.card.authenticated


@pytest.mark.parametrize(
    ("function", "answer", "expected"),
    [
        ("CardGetContainerInfo", ContainerInfo(1, b"no key"), NTE.BAD_KEY),
        ("CardGetContainerInfo", ContainerInfo(1), NTE.NO_KEY),
        ("CardSignData", 64, NTE.FAIL),
        ("CardGetProperty", b"\6\0\0\0", SCARD.E_COMM_DATA_LOST),
    ],
)
def test_minidrivers_that_answer_nonsense(desk, monkeypatch, function, answer, expected):
    desk.open().generate(KeySpec.ECDSA_P256)
    desk.module.cache_mode = CacheMode.NO_CACHE
    provider = desk.open()
    desk.card.files["", "cardcf"] = (1, b"\0\7\7\0\7\0")
    provider.csp.run(lambda: None)
    monkeypatch.setattr(provider.csp.session.minidriver, function, lambda *given: answer)
    assert code(provider.sign, DATA) is expected


def test_a_damaged_certificate(desk):
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256)
    desk.card.files["mscp", "ksc00"] = (1, b"\1\0\7\0nonsense")
    assert code(provider.certificate) is NTE.BAD_DATA


def test_prompts_say_who_asks(desk):
    provider = desk.open(text="for the tests")
    provider.generate(KeySpec.ECDSA_P256)
    request = desk.prompt.requests[0]
    assert (request.reader, request.card) == (desk.slot.name, CARD_NAME)
    assert (request.context, request.pin_id, request.attempts) == ("for the tests", 1, None)
    assert request.purpose == "Please enter your PIN."


def test_hashes_that_somebody_else_has_made(provider):
    provider.import_key(RSA_KEY, KeySpec.SIGNATURE)
    value = hashes.Hash(hashes.SHA256())
    value.update(DATA)
    signature = provider.sign(value.finalize(), hashed=True)
    RSA_KEY.public_key().verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    assert code(provider.sign, bytes(31), hashed=True) is NTE.BAD_LEN
    for wrong in ("SHA-256", "sha256", ""):
        assert code(provider.sign, bytes(32), hashed=True, algorithm=wrong) is NTE.BAD_ALGID
    assert code(provider.sign, DATA, algorithm=None) is NTE.BAD_ALGID
    signature = provider.sign(bytes(range(36)), hashed=True, algorithm=None)
    numbers = RSA_KEY.public_key().public_numbers()
    block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    assert block == b"\0\1" + b"\xff" * (256 - 39) + b"\0" + bytes(range(36))


def test_refused_enrolment_spares_the_key_that_was_there(desk):
    provider = desk.open()
    provider.generate(KeySpec.ECDHE_P256, name="both")

    def refuse(request):
        raise InvalidSignature

    with pytest.raises(InvalidSignature):
        provider.enrol("CN=alice", refuse, spec=KeySpec.ECDSA_P256, name="both")
    assert KeySpec.ECDHE_P256 in [key.spec for key in provider.containers()[0].keys]
