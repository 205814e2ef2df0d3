# SPDX-License-Identifier: Apache-2.0
"""Python and cryptography."""

import sys

from vreader.doctor import python


def test_this_one(look):
    assert look("python").level("vreader ") == "OK"
    assert look("python").level("cryptography ") == "OK"


def test_too_old(look, monkeypatch):
    monkeypatch.setattr(python, "OLDEST", (99, 0))
    monkeypatch.setattr(python, "OLDEST_CRYPTOGRAPHY", 10_000)
    found = look("python")
    assert found.level("Python ") == "FAIL"
    assert found.level("cryptography ") == "FAIL"


def test_no_cryptography(look, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.rsa", None)
    assert look("python").level("cryptography cannot be used") == "FAIL"


def test_another_system(look, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert look("python").level("on darwin") == "WARN"
