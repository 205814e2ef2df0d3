# SPDX-License-Identifier: Apache-2.0
"""What is seen of a machine."""

import os
import socket
import sys

import pytest

from vreader.doctor.machine import Machine, Process, version_of

MACHINE = Machine()


def test_programs():
    assert MACHINE.run(sys.executable, "-c", "print(1); exit(3)") == (3, "1\n")
    with pytest.raises(TimeoutError):
        MACHINE.run("sleep", "60", limit_s=0.05)
    with pytest.raises(OSError):
        MACHINE.run("/nowhere")


def test_this_process_and_its_port():
    assert os.getpid() in {process.pid for process in MACHINE.processes()}
    with socket.create_server(("127.0.0.1", 0)) as server:
        (listener,) = MACHINE.listeners(server.getsockname()[1])
        assert listener.uid == os.getuid()
        assert MACHINE.owner(listener).pid == os.getpid()


def test_which_pcscds_are_private():
    us = Process(os.getpid(), "x")
    assert not MACHINE.is_private(us)
    assert not MACHINE.is_private(Process(2**30, "ended"))
    assert MACHINE.command(Process(2**30, "ended")) == []


def test_versions_of_libraries(tmp_path):
    (tmp_path / "lib.so.0.8").write_text("")
    (tmp_path / "lib.so").symlink_to("lib.so.0.8")
    assert version_of(tmp_path / "lib.so") == "0.8"
    assert version_of(tmp_path / "plain.so") == ""


def test_a_pcscd_that_has_ended_is_none_though_its_parent_has_not_asked_after_it(tmp_path):
    for pid, state in ((7, "Z"), (8, "S")):
        directory = tmp_path / "proc" / str(pid)
        directory.mkdir(parents=True)
        (directory / "comm").write_text("pcscd\n")
        (directory / "stat").write_text(f"{pid} (pcscd) {state} 1 1 0\n")
    assert Machine(tmp_path).daemons() == [Process(8, "pcscd")]
