# SPDX-License-Identifier: Apache-2.0
"""Runs: the minidrivers of this project, and what is no minidriver at all."""

import threading
from types import SimpleNamespace

import pytest

from vreader.card import MemoryStore
from vreader.errors import UsageError
from vreader.kinds import find_keeping_kind
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify import Outcome, Settings, Subject, certify, select
from vreader.minidriver.certify.bench import REFUSED
from vreader.minidriver.certify.freshcards import fresh_cards
from vreader.minidriver.certify.run import try_loading
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.load import load_module
from vreader.minidriver.module import Module
from vreader.winscard.codes import SCARD

# PINs and keys of cards as vreader makes them.
SETTINGS = Settings(pins={1: b"123456", 2: bytes(range(1, 9)) * 3})
NO_CHECK_HAS = ["E.nothing"]


def inbox(spec):
    return Subject(spec, lambda api: load_module("msclmd.dll", api), fresh_cards(spec))


def with_keys(kind, *slots):
    keeping = find_keeping_kind(kind)
    card = keeping.create(next(iter(keeping.profiles())), {}, MemoryStore(), None)
    keeping.provision(card, {"slot": slots})
    keeping.born(card)
    image = keeping.export(card)
    load = lambda: keeping.load(image, MemoryStore())  # noqa: E731
    return Subject(kind, lambda api: load_module("msclmd.dll", api), load)


@pytest.mark.parametrize(
    "subject",
    [
        lambda: inbox("gids"),
        lambda: inbox("piv"),
        lambda: with_keys("piv", "9a:rsa2048", "9c:p256", "9d:rsa2048"),
        lambda: with_keys("gids", "kx:rsa2048", "sign:p256"),
    ],
    ids=["gids", "piv", "piv with keys", "gids with keys"],
)
def test_the_class_minidriver_passes(subject):
    certificate = certify(subject(), SETTINGS)
    assert not [(r.check.id, r.message) for r in certificate.results if r.outcome is Outcome.FAILED]
    applied = [r for r in certificate.results if r.outcome is Outcome.PASSED]
    assert len(applied) > 100


class Hangs(Module):
    let_go = threading.Event()

    def __init__(self, api):
        pass

    def CardAcquireContext(self, data, flags):
        self.let_go.wait(30)


class Crashes(Module):
    def __init__(self, api):
        pass

    def CardAcquireContext(self, data, flags):
        return data.nothing


def test_what_hangs_fails_and_is_given_up():
    subject = Subject("hangs", Hangs, fresh_cards("gids"))
    checks = [check.id for check in select("E")][:7]
    certificate = certify(subject, only=checks, patience_s=0.05)
    Hangs.let_go.set()
    assert certificate.failed == checks
    assert "hangs in CardAcquireContext (" in certificate.results[0].message
    assert "not tried" in certificate.results[-1].message


class Refuses(Module):
    code = 0

    def __init__(self, api):
        pass

    def CardAcquireContext(self, data, flags):
        raise MinidriverError(self.code)


@pytest.mark.parametrize(
    "code", [SCARD.E_INVALID_PARAMETER, SCARD.E_INVALID_HANDLE, SCARD.E_UNSUPPORTED_FEATURE, 1306]
)
def test_what_refuses_every_host_refuses_no_bad_parameter(code, monkeypatch):
    monkeypatch.setattr(Refuses, "code", code)
    certificate = certify(Subject("refuses", Refuses, fresh_cards("gids")))
    assert {r.outcome for r in certificate.results} == {Outcome.FAILED}


def test_a_pin_of_the_settings_that_is_refused_is_told():
    settings = Settings(pins={1: b"999999"})
    only = ["C.write-flags", "D.container-info"]
    results = certify(inbox("gids"), settings, only=only).results
    assert {r.message for r in results} == {f"{REFUSED}: SCARD_W_WRONG_CHV"}


def test_a_key_that_no_pin_guards_is_not_asked_to_be_guarded():
    only = ["F.private-key", "N.key"]
    results = certify(with_keys("piv", "9e:rsa2048", "9a:p256"), SETTINGS, only=only).results
    assert [r.outcome for r in results] == [Outcome.PASSED] * 2
    guarded, under_user = certify(with_keys("piv", "9e:p256"), SETTINGS, only=only).results
    assert guarded.outcome is Outcome.NOT_APPLICABLE
    assert under_user.message == "their PINs are [0]"


@pytest.mark.parametrize("pin", [b"12345678", b"11111111"])
def test_pins_are_changed_to_some_as_long(pin):
    keeping = find_keeping_kind("tpmvsc")
    image = keeping.export(keeping.create("", {"pin": pin.decode()}, MemoryStore(), None))
    subject = inbox("gids")._replace(card=lambda: keeping.load(image, MemoryStore()))
    assert certify(subject, Settings(pins={**SETTINGS.pins, 1: pin}), only=["G", "Q"]).passed


def test_a_name_is_one_line_of_characters_that_xml_can_carry():
    subject = Subject("a\nb\x01\udc80.dll", Refuses, fresh_cards("gids"))
    assert certify(subject, only=["E.cardid"]).minidriver == "a b\ufffd\ufffd.dll"


def test_the_first_loading_tells_what_is_wrong_with_a_name_and_leaves_the_rest_to_checks():
    def unknown(api):
        raise UsageError("no such file")

    with pytest.raises(UsageError, match="no such file"):
        try_loading(Subject("none", unknown, fresh_cards("gids")))
    for fault in (SystemExit, ZeroDivisionError):

        def broken(api, fault=fault):
            raise fault

        try_loading(Subject("broken", broken, fresh_cards("gids")))


def test_what_hangs_when_it_is_loaded_first_is_left_behind():
    go = threading.Event()
    try_loading(Subject("hangs", lambda api: go.wait(30), fresh_cards("gids")), 0.05)
    go.set()


class Wrong(ClassMinidriver):
    result: object = None

    def CardAcquireContext(self, data, flags):
        md = super().CardAcquireContext(data, flags)
        md.CardReadFile = lambda *_: self.result
        return md if self.result != "no context" else None


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "the minidriver returned something of another type: TypeError"),
        ("no context", "CardAcquireContext returned NoneType, not a Minidriver"),
    ],
)
def test_results_of_another_type_are_the_minidrivers_fault(result, told, monkeypatch):
    monkeypatch.setattr(Wrong, "result", result)
    (found,) = certify(Subject("w", Wrong, fresh_cards("gids")), only=["E.cardid"]).results
    assert found.message.startswith(told)


def test_what_crashes_fails_with_a_place():
    certificate = certify(Subject("crashes", Crashes, fresh_cards("gids")), only=["E.cardid"])
    (result,) = certificate.results
    assert "AttributeError" in result.message
    assert "test_run.py" in result.message


class Leaks(ClassMinidriver):
    findings = ()

    def close(self):
        self.findings = [SimpleNamespace(kind="leak", text="16 bytes")]


def test_what_a_module_is_found_to_do_fails_the_check():
    (result,) = certify(Subject("leaks", Leaks, fresh_cards("gids")), only=["E.cardid"]).results
    assert (result.outcome, result.message) == (Outcome.FAILED, "leak: 16 bytes")


def test_what_cannot_be_loaded_fails():
    def load(api):
        raise UsageError("no such file")

    (result,) = certify(Subject("none", load, fresh_cards("gids")), only=["E.cardid"]).results
    assert result.message == "it cannot be loaded: no such file"


def test_unknown_checks_are_refused():
    with pytest.raises(UsageError, match="no check"):
        certify(inbox("gids"), only=NO_CHECK_HAS)


def test_a_card_must_be_there():
    with pytest.raises(UsageError, match="empty reader"):
        fresh_cards("none")


def test_cards_are_copies():
    make = fresh_cards("gids")
    assert make() is not make()
