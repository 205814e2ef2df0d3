# SPDX-License-Identifier: Apache-2.0
"""Policy keys of the two providers."""

import pytest

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.host.policy import CSP_KEY, KSP_KEY, HostPolicy
from vreader.registry import Registry, Value
from vreader.registry.values import REG_DWORD
from vreader.registry.view import View


def read(values, key=KSP_KEY, *, ksp=True):
    registry = Registry()
    for name, value in values.items():
        registry.create(key).set(name, value)
    return HostPolicy.read(View(registry), ksp=ksp)


def test_defaults():
    assert read({}) == HostPolicy(1024, False, 1500, False, False, False, False)


@pytest.mark.parametrize(("key", "ksp"), [(KSP_KEY, True), (CSP_KEY, False)])
def test_values_of_each_provider(key, ksp):
    values = {
        "DefaultPrivateKeyLenBits": Value.dword(2048),
        "RequireOnCardPrivateKeyGen": Value.dword(1),
        "TransactionTimeoutMilliseconds": Value.dword(10),
        "AllowPrivateSignatureKeyImport": Value.dword(1),
    }
    assert read(values, key, ksp=ksp) == HostPolicy(2048, True, 10, True)
    assert read(values, key, ksp=not ksp) == HostPolicy()


@pytest.mark.parametrize("name", ["AllocPrivateECDHEKeyImport", "AllowPrivateECDHEKeyImport"])
def test_both_spellings_of_one_value(name):
    assert read({name: Value.dword(1)}).may_import(KeySpec.ECDHE_P384)
    assert not read({name: Value.dword(1)}).may_import(KeySpec.ECDSA_P384)
    assert not read({name: Value.dword(1)}, CSP_KEY, ksp=False).may_import(KeySpec.ECDHE_P384)


def test_values_that_are_no_dwords():
    values = {
        "TransactionTimeoutMilliseconds": Value.sz("1"),
        "DefaultPrivateKeyLenBits": Value.none(),
        "RequireOnCardPrivateKeyGen": Value.qword(1),
        "AllowPrivateSignatureKeyImport": Value(REG_DWORD, b"\1\0\0"),
    }
    assert read(values) == HostPolicy()
