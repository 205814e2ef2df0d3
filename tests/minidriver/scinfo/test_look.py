# SPDX-License-Identifier: Apache-2.0
"""A whole look at a card, through both providers of a simulated Windows."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from memory_card import PIN, MemoryCard, MemoryModule
from scinfo_pki import KEYS, NOW, ROOT, bag, make, middle, root

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.host import BaseCsp, CryptoProvider
from vreader.minidriver.lab import chosen, trace
from vreader.minidriver.scinfo.keytest import KeyVerdict
from vreader.minidriver.scinfo.look import Wish, look, vendor_file
from vreader.minidriver.scinfo.pin import OnePin
from vreader.minidriver.scinfo.told import told
from vreader.pairing.machine import Machine
from vreader.pairing.windows import Windows

RSA = rsa.generate_private_key(65537, 2048)
GOOD = PIN.decode()


@pytest.fixture(scope="module")
def prepared():
    """A card with an RSA key for exchange, an ECDSA one to sign and one for ECDH."""
    card = MemoryCard()
    with Machine(Windows.parse("10.0-amd64")) as machine:
        machine.insert(card)
        module = MemoryModule(machine.api, card)
        csp = BaseCsp(
            machine.api, machine.reader, module, "card", clock=machine.host.clock,
            prompt=lambda request: PIN,
            policy=_import_anything(),
        )  # fmt: skip
        with CryptoProvider(csp) as provider:
            certificate = make(key=RSA).public_bytes(Encoding.DER)
            provider.import_key(RSA, KeySpec.KEYEXCHANGE, name="logon", certificate=certificate)
            provider.import_key(KEYS[0], KeySpec.ECDSA_P256, name="sign")
            provider.import_key(KEYS[1], KeySpec.ECDHE_P256, name="agree")
    return card


def _import_anything():
    from vreader.minidriver.host.policy import HostPolicy

    return HostPolicy(
        import_signature=True, import_exchange=True, import_ecdhe=True, import_ecdsa=True
    )


@pytest.fixture
def card(prepared):
    files, tries = dict(prepared.files), dict(prepared.tries)
    yield prepared
    prepared.files, prepared.tries = files, tries


def seen(card, *, pin=GOOD, test=True, authorities=(ROOT,), registry=None, change=None):
    with Machine(Windows.parse("10.0-amd64"), registry=registry) as machine:
        pairing = chosen(machine.insert(card), "memory.py:Module")
        module = MemoryModule(machine.api, card)
        if change is not None:
            change(module)
        wish = Wish(OnePin(pin), test, authorities, NOW)
        return look(machine, pairing, trace(module, machine), wish)


def test_a_card_with_nothing_wrong(card):
    report = seen(card)
    assert report.ok, list(told(report))
    assert report.verdict == "nothing wrong; 3 of 3 private keys were seen to work"
    assert "PRESENT" in report.status
    assert (report.version, report.default_container) == (7, "logon")
    assert [key.spec for key in report.keys] == [
        KeySpec.KEYEXCHANGE, KeySpec.ECDSA_P256, KeySpec.ECDHE_P256,
    ]  # fmt: skip
    logon = report.keys[0].certificate
    assert (logon.matches, logon.chain.verdict, logon.logon.listed) == (True, "complete", True)
    assert logon.propagated.store.value == "CurrentUser\\My"
    assert report.keys[1].certificate is None


def test_each_provider_tests_what_it_can(card):
    report = seen(card)
    tests = [
        (t.operation, t.provider.split()[2], t.result) for key in report.keys for t in key.tests
    ]
    assert tests == [
        ("sign", "Smart", KeyVerdict.WORKS), ("decrypt", "Smart", KeyVerdict.WORKS),
        ("sign", "Card", KeyVerdict.WORKS), ("decrypt", "Card", KeyVerdict.WORKS),
        ("sign", "Smart", KeyVerdict.SKIPPED), ("sign", "Card", KeyVerdict.WORKS),
        ("agree", "Smart", KeyVerdict.SKIPPED), ("agree", "Card", KeyVerdict.WORKS),
    ]  # fmt: skip


@pytest.mark.parametrize(("without", "ok"), [("CardRSADecrypt", True), ("CardSignData", False)])
def test_what_a_minidriver_does_not_do_is_no_failure_unless_it_is_all(card, without, ok):
    report = seen(card, change=lambda module: setattr(module, "without", {without}))
    assert report.ok is ok
    results = {test.operation: test.result for test in report.keys[0].tests}
    assert KeyVerdict.UNSUPPORTED in results.values()


def test_a_wrong_pin_costs_one_try_and_is_no_broken_key(card):
    card.tries.clear()
    report = seen(card, pin="9999")
    assert card.tries[1] == 2
    assert report.ok
    assert report.pin_problem == "the PIN is wrong; tries left: 2"
    assert {test.result for key in report.keys for test in key.tests} == {KeyVerdict.SKIPPED}


@pytest.mark.parametrize(
    ("options", "problem"), [({"pin": None}, "no PIN was given"), ({"test": False}, "no test")]
)
def test_without_a_pin_everything_else_is_told(card, options, problem):
    report = seen(card, **options)
    assert (report.ok, problem in report.verdict) == (True, True)
    assert len(report.containers) == 3


def test_a_certificate_of_another_key(card):
    other = make(key=KEYS[2]).public_bytes(Encoding.DER)
    card.files["mscp", "kxc00"] = (1, other)
    report = seen(card, change=lambda module: setattr(module, "compresses", True))
    assert (report.ok, report.keys[0].certificate.matches) == (False, False)
    assert "is NOT that of the key" in "\n".join(told(report))


@pytest.mark.parametrize("content", [b"\x30\x03\x02\x01\x00", b"\x01\x00\x10\x00junk"])
def test_a_file_that_is_no_certificate(card, content):
    card.files["mscp", "kxc00"] = (1, content)
    report = seen(card)
    assert not report.ok
    assert "certificate" in report.keys[0].problem


def test_a_key_that_signs_wrong(card):
    right = card.keys
    try:
        card.keys = {**right, 0: {KeySpec.KEYEXCHANGE: RSA2}}
        report = seen(card, change=_tells_the_old_key)
    finally:
        card.keys = right
    assert not report.ok
    assert "does not verify" in report.keys[0].tests[0].detail


RSA2 = rsa.generate_private_key(65537, 2048)


def _tells_the_old_key(module):
    """Let CardGetContainerInfo lie, as a card with a damaged key does."""
    from vreader.minidriver.abi.blobs import encode_public
    from vreader.minidriver.values import ContainerInfo

    acquire = module.CardAcquireContext

    def lying(data, flags):
        context = acquire(data, flags)
        honest = context.CardGetContainerInfo

        def info(container, flags, given):
            if container:
                return honest(container, flags, given)
            blob = encode_public(RSA.public_key(), KeySpec.KEYEXCHANGE)
            return ContainerInfo(1, None, blob)

        context.CardGetContainerInfo = info
        return context

    module.CardAcquireContext = lying


def test_cas_on_the_card(card):
    card.directories.add("mscerts")
    try:
        card.files["mscp", "msroots"] = (1, bag(root()))
        card.files["mscerts", "one"] = (1, middle().public_bytes(Encoding.DER))
        report = seen(card, authorities=())
    finally:
        card.directories.discard("mscerts")
    assert [(one.subject, one.store.value) for one in report.authorities] == [
        ("CN=root", r"LocalMachine\SmartCardRoot"),
        ("CN=middle", r"CurrentUser\CA"),
    ]
    assert report.keys[0].certificate.chain.verdict.startswith("complete, to a root that nobody")


def test_roots_that_are_none(card):
    card.files["mscp", "msroots"] = (1, b"nothing")
    report = seen(card)
    assert report.problems == (r"mscp\msroots holds no certificates",)


def test_no_minidriver():
    with Machine(Windows.parse("10.0-amd64")) as machine:
        card = MemoryCard()
        card.atr = bytes.fromhex("3B00")
        card.transmit = lambda c_apdu: b"\x6a\x82"
        pairing = machine.insert(card)
        report = look(machine, pairing, None, Wish(OnePin(), True, (), NOW))
        assert vendor_file(pairing) == ""
    assert not report.ok
    assert "no minidriver is loaded" in report.verdict


def test_a_minidriver_that_refuses_the_card(card):
    report = seen(card, change=_refuses)
    assert "SCARD_E_UNKNOWN_CARD" in report.verdict


def _refuses(module):
    from vreader.minidriver.abi.returncodes import MinidriverError
    from vreader.winscard.codes import SCARD

    def refuse(data, flags):
        raise MinidriverError(SCARD.E_UNKNOWN_CARD)

    module.CardAcquireContext = refuse


def test_the_record_is_json_and_the_pin_is_nowhere(card):
    report = seen(card)
    text = json.dumps(report.record()) + "\n".join(told(report))
    assert GOOD not in text.replace(report.keys[0].certificate.facts.thumbprint, "")
    assert json.loads(json.dumps(report.record()))["ok"] is True


def test_ecdsa_signatures_of_other_keys_do_not_verify():
    from vreader.minidriver.scinfo.keytest import MESSAGE, verifies

    assert not verifies(KEYS[0].public_key(), bytes(64), MESSAGE)
    assert not verifies(KEYS[0].public_key(), b"", MESSAGE)
    assert isinstance(KEYS[0], ec.EllipticCurvePrivateKey)
