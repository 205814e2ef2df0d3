# SPDX-License-Identifier: Apache-2.0
"""Runs: the minidrivers of this project, and what is no minidriver at all."""

import threading
from types import SimpleNamespace

import pytest

from vreader.card import MemoryStore
from vreader.errors import UsageError
from vreader.kinds import find_keeping_kind
from vreader.minidriver.certify import Outcome, Settings, Subject, certify, select
from vreader.minidriver.certify.freshcards import fresh_cards
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.load import load_module
from vreader.minidriver.module import Module

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
    assert "hangs" in certificate.results[0].message
    assert "not tried" in certificate.results[-1].message


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
