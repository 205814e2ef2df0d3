# SPDX-License-Identifier: Apache-2.0
"""vpcd's driver, judged by what it sends: the real one, and both kinds in its place."""

import socket

import pytest

from vreader.bridge.vpcd.installation import VPCD, find_installation
from vreader.doctor import driver

ON, ASK = b"\0\1\1", b"\0\1\4"


@pytest.mark.pcscd
def test_the_installed_one(look, need):
    need("/usr/sbin/pcscd", "pcscd")
    old = find_installation(wanted=VPCD).driver.resolve().name.endswith(".0.8")
    found = look("vpcd")
    assert found.level("44 ms an APDU" if old else "sends messages whole") == (
        "NOTE" if old else "OK"
    )
    assert str(find_installation(wanted=VPCD).driver) in found.findings[0].text
    assert look("twin").level("libccidtwin.so") == "OK"


class Connection:
    """Gives what the driver sends, in the pieces it sends it in."""

    def __init__(self, frames: list[bytes], *, apart: bool) -> None:
        cut = [(frame[:2], frame[2:]) if apart else (frame,) for frame in frames]
        self.pieces = [piece for pieces in cut for piece in pieces]
        self.sent: list[bytes] = []

    def settimeout(self, seconds: float) -> None:
        """Nothing ever waits here."""

    def recv(self, size: int) -> bytes:
        return self.pieces.pop(0)

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


@pytest.mark.parametrize("apart", [True, False])
def test_which_of_the_two(apart):
    connection = Connection([ASK, ASK, ON, ASK], apart=apart)
    assert driver._sends_apart(connection) is apart
    assert len(connection.sent) == 3


def test_one_that_hangs_up():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(ConnectionResetError):
        driver._sends_apart(ours)


def test_none(look, program):
    program("pcscd", "echo libsystemd usbdropdir=/nowhere")
    # Its directory is not the only one that is looked at; a daemon that is none is.
    program("pcscd", "echo no features")
    found = look("vpcd")
    assert found.level("no --stack pcscd") == "NOTE"
    assert "apt install" in found.findings[0].advice
    assert look("twin").level("no --stack twin") == "NOTE"


@pytest.mark.pcscd
def test_a_daemon_that_dies(look, program, need):
    need("/usr/sbin/pcscd", "pcscd")
    program(
        "pcscd",
        'case "$1" in --version) echo libsystemd;; --help) ;; *) echo I die; exit 7;; esac',
    )
    assert look("vpcd").level("it does not work in a private pcscd") == "WARN"
