# SPDX-License-Identifier: Apache-2.0
import inspect

import pytest
from minidriver_fakes import context

from vreader.minidriver.abi.functions import ACQUIRE_CONTEXT, FUNCTIONS
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import DllReason, Module
from vreader.winscard.codes import SCARD


def method(function):
    owner = Module if function is ACQUIRE_CONTEXT else Minidriver
    return inspect.signature(getattr(owner, function.name))


def given_to(function):
    """How many of the C parameters are no places for results and no lengths of data."""
    results = ("PDWORD", "LPDWORD", "PCARD_KEY_HANDLE")
    names = [p.name for p in function.parameters if "*" not in p.type and p.type not in results]
    lengths = {"cbPin", "cbData", "cbDataLen", "cbInput", "cbOutput", "cEncryptedData"}
    lengths |= {n for n in names if n.startswith("cb") and n != "cbInitialCreationSize"}
    return [name for name in names if name not in lengths]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_a_method_has_the_documented_parameters(function):
    parameters = [*method(function).parameters][1:]
    # The answer of CardProcessEncryptedData is limited by a size, which is an input too.
    expected = len(given_to(function))
    assert len(parameters) == expected, (parameters, given_to(function))


def test_the_table_has_what_a_class_defines():
    table = context().table()
    assert {"CardReadFile", "CardDeriveKey", "MDEncryptData"} <= table
    assert "CardRSADecrypt" not in table


@pytest.mark.parametrize(("version", "derives"), [(4, False), (5, True), (7, True)])
def test_the_table_has_the_functions_of_its_version(version, derives):
    assert ("CardDeriveKey" in context(version).table()) is derives


def test_without_a_card_there_is_key_injection_alone():
    assert context(no_card=True).table() == {"CardDeleteContext", "MDEncryptData"}


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.optional], ids=lambda f: f.name)
def test_what_is_null_says_that_the_card_has_no_such_feature(function):
    null = getattr(Minidriver, function.name)
    count = len(method(function).parameters)
    with pytest.raises(MinidriverError) as failed:
        null(*[None] * count)
    assert failed.value.code is SCARD.E_UNSUPPORTED_FEATURE


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.since == 4], ids=lambda f: f.name)
def test_what_may_not_be_null_in_version_4_is_abstract(function):
    abstract = function.name in Minidriver.__abstractmethods__
    assert abstract is not function.optional


def test_a_module_is_loaded_unless_it_refuses():
    class Silent(Module):
        def CardAcquireContext(self, data, flags):
            return context()

    assert Silent(None).DllMain(DllReason.PROCESS_ATTACH)
