# SPDX-License-Identifier: Apache-2.0
"""What polkit says, told by programs in its place."""

import os

import pytest

WITH = "echo Enabled features: Linux libsystemd polkit usb"
POLICY = "<policyconfig><allow_any>{}</allow_any></policyconfig>"


@pytest.fixture
def user(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)


def test_built_without(look, program):
    program("pcscd", "echo Enabled features: Linux libsystemd usb")
    assert look("polkit").level("built without polkit") == "OK"


def test_a_user_that_is_let(look, program, user, machine):
    program("pcscd", WITH)
    program("pkcheck", "exit 0")
    assert look("polkit", machine).level("lets you") == "OK"


def test_a_user_that_is_refused(look, program, user, machine):
    program("pcscd", WITH)
    program("pkcheck", "echo Not authorized. >&2; exit 1")
    found = look("polkit", machine)
    assert found.level("does not let you use pcscd: Not authorized.") == "WARN"
    assert "--disable-polkit" in found.findings[0].advice
    assert "org.debian.pcsc-lite.access_pcsc" in found.findings[0].advice


def test_polkit_itself_is_missing(look, program, user, machine, monkeypatch):
    path = program("pcscd", WITH)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr("vreader.doctor.machine._SBIN", "")
    path.write_text(f"#!/bin/sh\n{WITH}\n")
    assert look("polkit", machine).level("everybody is refused") == "WARN"


@pytest.mark.parametrize(("allow", "level"), [("no", "WARN"), ("yes", "OK"), (None, "WARN")])
def test_what_root_is_told(look, program, machine, monkeypatch, allow, level):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    program("pcscd", WITH)
    if allow:
        policy = machine.path("usr/share/polkit-1/actions/org.debian.pcsc-lite.policy")
        policy.parent.mkdir(parents=True)
        policy.write_text(POLICY.format(allow))
    assert look("polkit", machine).worst == level


def test_a_daemon_that_does_not_ask(look, program, user, machine):
    program("pcscd", WITH)
    (machine.root / "proc").unlink()
    process = machine.root / "proc" / "77"
    process.mkdir(parents=True)
    (process / "comm").write_text("pcscd\n")
    (process / "cmdline").write_text("/usr/sbin/pcscd\0--foreground\0--disable-polkit\0")
    assert look("polkit", machine).level("runs with --disable-polkit") == "OK"


def test_no_pcscd(look, machine, monkeypatch):
    monkeypatch.setattr("vreader.doctor.machine._SBIN", "")
    monkeypatch.setenv("PATH", "/nowhere")
    assert look("polkit", machine).findings == []
