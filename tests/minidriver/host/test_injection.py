# SPDX-License-Identifier: Apache-2.0
"""A server without a card encrypts keys and PINs for one."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from real_cards import GIDS, PIV, desk_with

from vreader.events import Emitter
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.events import CardCallEvent, CardCallStarted
from vreader.minidriver.host.injection import KeyServer
from vreader.minidriver.host.process import HostProcess
from vreader.minidriver.traced import Traced
from vreader.winscard.codes import SCARD

DATA = b"to be signed"
KEY = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def gids():
    desk = desk_with(GIDS)
    yield desk
    desk.close()


@pytest.fixture
def server(gids):
    with (
        HostProcess(gids.clock) as process,
        KeyServer(gids.api, ClassMinidriver(gids.api), "GIDS", process) as server,
    ):
        yield server


def code(call, *args, **kwargs):
    with pytest.raises(MinidriverError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_an_injected_key_signs_and_no_call_of_the_client_shows_it(gids, server):
    events, told = Emitter(), []
    events.subscribe(told.append)
    module = Traced(gids.module, events, clock=gids.clock, unmask=True)
    provider = gids.open(module=module)
    made = provider.inject_key(server, KEY, KeySpec.SIGNATURE, name="injected", via=0)
    assert made.keys[0].public == KEY.public_key()
    signature = provider.sign(DATA, "injected")
    KEY.public_key().verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    calls = [event for event in told if isinstance(event, CardCallStarted | CardCallEvent)]
    names = [call.function for call in calls]
    assert "CardProcessEncryptedData" in names
    assert names.count("CardDestroyKey") == 2
    prime = KEY.private_numbers().p.to_bytes(128, "little").hex().upper()
    assert prime[:32] not in "".join(map(str, calls))


def test_no_policy_of_plain_imports_is_asked(gids, server):
    provider = gids.open()
    assert code(provider.import_key, KEY, KeySpec.SIGNATURE) is NTE.PERM
    assert provider.inject_key(server, KEY, KeySpec.SIGNATURE, via=0)
    wrong = ec.generate_private_key(ec.SECP256R1())
    assert code(provider.inject_key, server, wrong, KeySpec.SIGNATURE, via=0) is NTE.BAD_KEY


def test_a_refused_key_leaves_no_container_and_no_session_key(gids, server):
    provider = gids.open()
    before = provider.containers()
    process = provider.csp.session.minidriver.CardProcessEncryptedData

    def refuse(*given):
        raise MinidriverError(SCARD.E_UNEXPECTED)

    provider.csp.session.minidriver.CardProcessEncryptedData = refuse
    refused = code(provider.inject_key, server, KEY, KeySpec.SIGNATURE, via=0)
    assert refused is SCARD.E_UNEXPECTED
    provider.csp.session.minidriver.CardProcessEncryptedData = process
    assert provider.containers() == before
    assert not provider.csp.session.minidriver._session_keys
    assert not server._context._session_keys


def test_a_pin_is_changed(gids, server):
    old = gids.prompt.answers[0]
    provider = gids.open()
    provider.inject_pin(server, old, "87654321", via=0)
    gids.wait()
    gids.prompt.requests.clear()
    gids.prompt.answers = ["87654321"]
    assert provider.sign(DATA, 0)
    assert gids.prompt.asked == 1  # the one that was kept is forgotten
    assert code(provider.inject_pin, server, old, "11111111", via=0) is SCARD.W_WRONG_CHV


def test_cards_without_key_injection(gids, server):
    desk = desk_with(PIV)
    assert code(desk.open().inject_key, server, KEY, KeySpec.SIGNATURE) in (
        NTE.NOT_SUPPORTED, SCARD.E_READ_ONLY_CARD,
    )  # fmt: skip
    assert code(desk.open().inject_pin, server, "1", "2") is NTE.NOT_SUPPORTED
    desk.close()
