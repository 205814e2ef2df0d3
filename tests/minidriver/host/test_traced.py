# SPDX-License-Identifier: Apache-2.0
"""Calls in a trace: around their APDUs, without secrets."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from memory_card import PUK, answer

from vreader.events import Emitter
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.events import CardCallEvent, CardCallStarted
from vreader.minidriver.host.policy import KSP_KEY
from vreader.minidriver.traced import Traced
from vreader.reader.events import ApduEvent
from vreader.trace.jsonl import json_line
from vreader.trace.level import bits_of
from vreader.trace.text import TextFormat
from vreader.winscard.codes import SCARD

DATA = b"data"


@pytest.fixture
def told(desk):
    told = []
    desk.host.events.subscribe(told.append)
    return told


def traced(desk, **options):
    return Traced(desk.module, desk.host.events, clock=desk.clock, reader=desk.slot.name, **options)


def test_a_call_is_told_around_its_apdus(desk, told):
    desk.open(module=traced(desk)).containers()
    kinds = (CardCallStarted, CardCallEvent, ApduEvent)
    shown = [event for event in told if isinstance(event, kinds)]
    at = next(n for n, event in enumerate(shown) if event.fields[0] == "function"
              and event.function == "CardReadFile")  # fmt: skip
    started, apdu, ended = shown[at : at + 3]
    assert isinstance(started, CardCallStarted)
    assert isinstance(apdu, ApduEvent)
    assert isinstance(ended, CardCallEvent)
    assert started.call == ended.call
    assert started.arguments == (("directory", "NULL"), ("name", "cardid"), ("flags", "0x0"))
    assert (ended.code, ended.result) == (0, bytes(range(16)).hex().upper())
    assert ended.reader == desk.slot.name
    assert ended.seconds == 0  # nobody has advanced the clock


def test_loading_and_acquiring_are_told(desk, told):
    with desk.open(module=traced(desk)) as provider:
        provider.containers()
    calls = [event for event in told if isinstance(event, CardCallEvent)]
    assert [calls[0].function, calls[1].function] == ["DllMain", "CardAcquireContext"]
    assert calls[1].arguments[0][1].startswith("(version 7, ATR 3B8D")
    assert calls[1].result == "version 7"
    assert [call.function for call in calls[-2:]] == ["CardDeleteContext", "DllMain"]


def test_no_secret_is_in_any_event(desk, told):
    names = ["Signature", "Exchange", "ECDHE", "ECDSA"]
    desk.policy(KSP_KEY, **{f"AllowPrivate{name}KeyImport": 1 for name in names})
    key = rsa.generate_private_key(65537, 2048)
    desk.module.session_pins = True
    desk.card.pins[1] = b"\xab\xcd\xef\x01\x02"
    desk.prompt.answers = [desk.card.pins[1]]
    provider = desk.open(module=traced(desk))
    provider.import_key(key, KeySpec.KEYEXCHANGE, name="rsa")
    provider.decrypt(key.public_key().encrypt(b"the secret of it", padding.PKCS1v15()), "rsa")
    provider.generate(KeySpec.ECDHE_P256, name="ec")
    derived = provider.agree(ec.generate_private_key(ec.SECP256R1()).public_key(), "ec")
    (kept,) = provider.csp.process._pins.values()
    responses = []

    def respond(challenge):
        responses.append(answer(challenge))
        return responses[-1]

    provider.authenticate_admin(respond)
    provider.change_pin(desk.card.pins[1], b"\xca\xfe\xca\xfe")
    provider.unblock(b"\xbe\xef\xbe\xef", PUK)
    provider.unblock(b"\xfa\xde\xfa\xde", respond)
    old = desk.open(module=traced(desk), version=4)
    old.unblock(b"\xba\xbe\xba\xbe", respond)
    old.change_pin(b"\xba\xbe\xba\xbe", b"\xfe\xed\xfe\xed")
    secrets = [
        b"\xab\xcd\xef\x01\x02", b"\xca\xfe\xca\xfe", b"\xbe\xef\xbe\xef", b"\xfa\xde\xfa\xde",
        b"\xba\xbe\xba\xbe", b"\xfe\xed\xfe\xed", PUK, kept.value, derived, *responses,
        b"the secret of it"[::-1], key.private_numbers().p.to_bytes(128, "little")[:16],
    ]  # fmt: skip
    calls = [event for event in told if isinstance(event, CardCallStarted | CardCallEvent)]
    text = "".join(map(str, calls)) + "".join(json_line(0, event) for event in calls)
    assert "**" in text
    for secret in secrets:
        assert secret.hex().upper() not in text
        assert repr(secret)[2:-1] not in text


def test_secrets_can_be_shown(desk, told):
    provider = desk.open(module=traced(desk, unmask=True))
    provider.generate(KeySpec.ECDSA_P256)
    assert "pin=31323334" in "".join(map(str, told))


def test_failures(desk, told):
    provider = desk.open(module=traced(desk))
    with pytest.raises(MinidriverError):
        provider.set_pin("0000")
    call = [event for event in told if isinstance(event, CardCallEvent)][-1]
    assert (call.code, call.result) == (SCARD.W_WRONG_CHV, "attempts 2")
    assert call.problem == "SCARD_W_WRONG_CHV"
    assert bits_of(call) & 0x20
    assert str(call).startswith("CardAuthenticateEx → SCARD_W_WRONG_CHV  attempts 2  ")
    desk.slot.remove()
    with pytest.raises(MinidriverError):
        provider.csp.session.call("CardReadFile", None, "cardid", 0)
    call = [event for event in told if isinstance(event, CardCallEvent)][-1]
    assert call.code == SCARD.W_REMOVED_CARD


def test_a_bug_of_the_minidriver_is_told_and_raised(desk, told):
    def bug(name):
        if name == "CardReadFile":
            raise ZeroDivisionError

    desk.module.before = bug
    with pytest.raises(ZeroDivisionError):
        desk.open(module=traced(desk)).containers()
    call = [event for event in told if getattr(event, "function", "") == "CardReadFile"][-1]
    assert (call.code, call.result) == (SCARD.F_UNKNOWN_ERROR, "ZeroDivisionError")


def test_in_text_and_in_json(desk, told):
    desk.open(module=traced(desk)).containers()
    started = next(event for event in told if isinstance(event, CardCallStarted))
    assert TextFormat()(0, started) == (f"  0.000000  {desk.slot.name}  DllMain(reason=1)\n")
    record = json.loads(json_line(0, started))
    assert record == {
        "t": 0, "event": "CardCallStarted", "function": "DllMain", "arguments": [["reason", "1"]],
        "reader": desk.slot.name, "call": 1,
    }  # fmt: skip


def test_the_table_is_that_of_the_minidriver(desk):
    desk.module.without = frozenset({"CardDeauthenticate"})
    provider = desk.open(module=traced(desk))
    provider.containers()
    context = provider.csp.session.minidriver
    assert "CardDeauthenticate" not in context.table()
    assert "CardSignData" in context.table()
    assert "MDEncryptData" not in context.table()
    for function in FUNCTIONS:
        assert hasattr(context, function.name)
    assert context.version == 7
    assert provider.csp.session._module.reasons == desk.module.reasons


def test_nobody_listens(desk):
    module = Traced(desk.module, Emitter(), clock=desk.clock)
    assert desk.open(module=module).containers() == []
    assert module._calls == 0


def test_what_the_minidriver_asks_of_the_host_is_told_within_its_call(desk, told):
    provider = desk.open(module=traced(desk))
    provider.generate(KeySpec.KEYEXCHANGE)
    told.clear()
    provider.sign(DATA)
    calls = [event for event in told if isinstance(event, CardCallStarted | CardCallEvent)]
    at = [event.function for event in calls].index("CspPadData")
    assert [event.function for event in calls[at - 1 : at + 3]] == [
        "CardSignData", "CspPadData", "CspPadData", "CardSignData",
    ]  # fmt: skip
    assert dict(calls[at].arguments)["width"] == "128"
    assert "(128 bytes)" in calls[at + 1].result


def test_what_a_minidriver_keeps_with_the_host_is_not_shown(desk, told):
    provider = desk.open(module=traced(desk))
    provider.containers()

    def keep():
        host = provider.csp.session.minidriver.data.host
        host.CspCacheAddFile("a tag", flags=0, data=b"\xca\xfe\xca\xfe")
        assert host.CspCacheLookupFile("a tag", 0) == b"\xca\xfe\xca\xfe"
        with pytest.raises(MinidriverError):
            host.CspCacheLookupFile("another", 0)

    provider.csp.run(keep)
    text = "".join(map(str, told))
    assert "CspCacheAddFile(tag=a tag, flags=0x0, data=**)" in text
    assert "CspCacheLookupFile → SCARD_E_FILE_NOT_FOUND" in text
    assert "CAFECAFE" not in text


def test_seconds_are_those_of_the_hosts_clock(desk, told):
    desk.module.before = lambda name: desk.clock.advance(0.25)
    desk.open(module=traced(desk)).containers()
    call = [event for event in told if getattr(event, "function", "") == "CardGetProperty"][-1]
    assert call.seconds == 0.25


def test_arguments_may_be_named(desk, told):
    provider = desk.open(module=traced(desk))
    provider.containers()
    context = provider.csp.session.minidriver
    read = provider.csp.run(lambda: context.CardReadFile(None, name="cardid", flags=0))
    assert read == bytes(range(16))
    with pytest.raises(TypeError, match="flags"):
        context.CardReadFile(None, "cardid")
