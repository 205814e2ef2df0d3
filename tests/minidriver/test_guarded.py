# SPDX-License-Identifier: Apache-2.0
"""Mistakes of somebody's minidriver are told as theirs."""

import sys

import pytest
from minidriver_fakes import DATA, Yes

from vreader.clock import ManualClock
from vreader.errors import VreaderError
from vreader.events import Emitter
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.guarded import Guarded, returned
from vreader.minidriver.module import DllReason, Module
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD


class Mistaken(Yes):
    def CardReadFile(self, directory, name, flags):
        if name == "exit":
            sys.exit("bye")
        return {"none": None, "text": "text"}[name]

    def CardEnumFiles(self, directory, flags):
        if directory:
            raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
        return ["cardid", 7]

    def CardGetSharedKeyHandle(self, data):
        return (b"a", 1, 2) if data else (b"a", b"b")


class Anyone(Module):
    def CardAcquireContext(self, data, flags):
        return Mistaken(DATA, 7) if flags == 0 else None


@pytest.fixture
def module():
    return Guarded(Anyone(None), Emitter(), clock=ManualClock())


@pytest.fixture
def context(module):
    return module.CardAcquireContext(DATA, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "CardReadFile returns NoneType, not bytes"),
        ("text", "CardReadFile returns str, not bytes"),
        ("exit", r"CardReadFile raises SystemExit: bye \(.*test_guarded.py:\d+\)"),
        ("other", r"CardReadFile raises KeyError: 'other' \(.*test_guarded.py:\d+\)"),
    ],
)
def test_mistakes(context, name, message):
    with pytest.raises(VreaderError, match=message):
        context.CardReadFile(None, name, 0)


def test_what_is_in_a_list_counts(context):
    with pytest.raises(
        VreaderError, match=r"CardEnumFiles returns list with int and str, not list\[str\]"
    ):
        context.CardEnumFiles(None, 0)


@pytest.mark.parametrize(
    ("data", "found"), [(b"x", "tuple with bytes and int"), (None, "tuple with bytes")]
)
def test_what_is_in_a_tuple_counts(context, data, found):
    with pytest.raises(VreaderError, match=rf"returns {found}, not tuple\[bytes, int\]"):
        context.CardGetSharedKeyHandle(data)


def test_a_failure_is_no_mistake(context):
    with pytest.raises(MinidriverError):
        context.CardEnumFiles("mscp", 0)


def test_what_is_right_goes_through(module, context):
    assert module.DllMain(DllReason.PROCESS_ATTACH) is True
    assert context.CardDeleteFile(None, "cardid", 0) is None
    assert context.CardGetContainerInfo(0, 0, ContainerInfo()).signature == b"key"


def test_a_context_that_is_none(module):
    with pytest.raises(VreaderError, match="CardAcquireContext returns NoneType, not Minidriver"):
        module.CardAcquireContext(DATA, 1)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.name)
def test_every_function_says_what_it_returns(function):
    assert all(isinstance(one, type) for one in returned(function.name))
