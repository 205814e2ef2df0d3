# SPDX-License-Identifier: Apache-2.0
"""What a version of Windows has, and where it finds a card module's file."""

import pytest

from vreader.pairing.windows import Windows

INBOX = ["inboxgids.inf", "inboxpiv.inf", "umpass.inf"]


@pytest.mark.parametrize(
    ("os", "packages", "signers_equal"),
    [
        ("5.1-x86", [], False),
        ("6.0-amd64", [], False),
        ("6.1-amd64", INBOX, True),
        ("6.2-x86", [*INBOX, "scunknown.inf"], True),
        ("10.0-arm64", [*INBOX, "scunknown.inf"], True),
    ],
)
def test_what_came_with_which(os, packages, signers_equal):
    windows = Windows.parse(os)
    assert sorted(package.name for package in windows.inbox) == sorted(packages)
    assert windows.signers_equal is signers_equal
    assert bool(windows.files) == bool(packages)


@pytest.mark.parametrize(
    ("name", "os", "bits", "path"),
    [
        ("a.dll", "10.0-amd64", 64, r"C:\Windows\System32\a.dll"),
        ("a.dll", "10.0-amd64", 32, r"C:\Windows\SysWOW64\a.dll"),
        ("a.dll", "10.0-x86", 32, r"C:\Windows\System32\a.dll"),
        (r"%SystemRoot%\system32\a.dll", "10.0-amd64", 32, r"C:\Windows\SysWOW64\a.dll"),
        (r"%windir%\a.dll", "10.0-amd64", 32, r"C:\Windows\a.dll"),
        (r"C:\Windows\System32x\a.dll", "10.0-amd64", 32, r"C:\Windows\System32x\a.dll"),
        (r"D:\a.dll", "10.0-amd64", 32, r"D:\a.dll"),
    ],
)
def test_where_a_program_finds_a_module(name, os, bits, path):
    assert Windows.parse(os).module_path(name, bits) == path
