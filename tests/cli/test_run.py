# SPDX-License-Identifier: Apache-2.0
"""``vreader run``: what the child gets, and what becomes of its end."""

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

ATR_OF_PIV = "3B FD 13 00 00 81 31 FE 15 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 40"


@pytest.mark.parametrize("code", [0, 1, 42, 125, 255])
def test_the_exit_code_is_the_childs(cli, code):
    assert cli("run", "--card", "none", "--", "sh", "-c", f"exit {code}").code == code


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT"])
def test_a_child_that_a_signal_ended(cli, name):
    number = getattr(signal, f"SIG{name}")
    said = cli("run", "--card", "none", "--", "sh", "-c", f"kill -{name} $$")
    assert said.code == 128 + number


def test_command_that_cannot_be_found(cli):
    assert cli("run", "--card", "none", "--", "no-such-program").code == 127


def test_command_that_cannot_be_executed(cli, here: Path):
    (here / "text").write_text("no program")
    assert cli("run", "--card", "none", "--", "./text").code == 126
    assert cli("run", "--card", "none", "--", str(here)).code == 126


def test_our_own_failure(cli):
    assert cli("run", "--card", "nonsense", "--", "true").code == 125


def test_the_separator_may_be_left_out(cli):
    assert cli("run", "--card", "none", "echo", "--card", "x", "--").out == "--card x --\n"


def test_without_a_command_it_is_the_shell(cli, monkeypatch, here: Path):
    shell = here / "shell"
    shell.write_text('#!/bin/sh\necho "this is $0 with $# arguments"\n')
    shell.chmod(0o755)
    monkeypatch.setenv("SHELL", str(shell))
    assert cli("run", "--card", "none").out == f"this is {shell} with 0 arguments\n"


def test_without_a_shell_either_it_is_sh(command):
    env = {k: v for k, v in os.environ.items() if k != "SHELL"}
    said = command("run", "--card", "none", env=env, input="echo $0", stdin=None)
    assert said == (0, "/bin/sh\n", "")


def test_standard_streams_and_other_files_are_the_childs(command):
    read, write = os.pipe()
    with os.fdopen(read) as reader:
        said = command(
            *(
                "run",
                "--card",
                "none",
                "--",
                "sh",
                "-c",
                f"cat; echo err >&2; echo more >/dev/fd/{write}",
            ),
            input="in",
            stdin=None,
            pass_fds=(write,),
        )
        os.close(write)
        assert reader.read() == "more\n"
    assert said == (0, "in", "err\n")


def test_without_card_it_is_piv(cli, self_command):
    said = cli("run", "--", "sh", "-c", f"{self_command} ctl list")
    assert said.out == "Virtual Reader 00 00\tpiv\tinserted\tNEGOTIABLE\n"


def test_the_child_sees_the_world_alone(cli):
    said = cli("run", "--card", "none", "--", "sh", "-c", "env")
    found = dict(
        re.findall(r"^(PCSCLITE_CSOCK_NAME|VREADER_CONTROL)=(.+)$", said.out, re.MULTILINE)
    )
    directories = {Path(path).parent for path in found.values()}
    assert len(found) == 2
    assert len(directories) == 1


def test_the_world_is_private_and_gone_afterwards(cli, short_tmp: Path):
    script = (
        f"stat -c '%a %F' {short_tmp}/*; stat -c '%a %F' {short_tmp}/*/*; echo $VREADER_CONTROL"
    )
    said = cli("run", "--card", "none", "--", "sh", "-c", script)
    lines = said.out.splitlines()
    assert lines[0] == "700 directory"
    assert sorted(lines[1:-1]) == ["600 regular empty file", "600 socket", "600 socket"]
    assert lines[-1].startswith(f"{short_tmp}/vreader-")
    assert list(short_tmp.iterdir()) == []


def test_it_is_gone_after_a_failure_too(cli, short_tmp: Path):
    assert cli("run", "--card", "piv", "--card", "piv:nonsense", "--", "true").code == 125
    assert list(short_tmp.iterdir()) == []


@pytest.mark.parametrize(
    ("cards", "readers", "names"),
    [
        (["none"], [], ["Virtual Reader 00 00"]),
        (["none", "none"], [], ["Virtual Reader 00 00", "Virtual Reader 2 00 00"]),
        (["none"], ["Mine"], ["Mine 00 00"]),
        (["none"], ["Mine 00 00"], ["Mine 00 00"]),
        (["none", "none"], ["Mine"], ["Mine 00 00", "Virtual Reader 00 00"]),
        (["none", "none"], ["Virtual Reader"], ["Virtual Reader 00 00", "Virtual Reader 2 00 00"]),
        (["none"], ["Yubico YubiKey CCID 00 00"], ["Yubico YubiKey CCID 00 00"]),
        (["none"], ["Lesegerät № 5"], ["Lesegerät № 5 00 00"]),
    ],
)
def test_names_of_readers(cli, self_command, cards, readers, names):
    options = [word for card in cards for word in ("--card", card)]
    options += [word for reader in readers for word in ("--reader", reader)]
    said = cli("run", *options, "--", "sh", "-c", f"{self_command} ctl list")
    assert [line.split("\t")[0] for line in said.out.splitlines()] == names


def test_a_profile_of_the_resource_manager(cli, self_command):
    options = ("--profile", "windows", "--card", "none", "--card", "none")
    said = cli("run", *options, "--", "sh", "-c", f"{self_command} ctl list")
    names = [line.split("\t")[0] for line in said.out.splitlines()]
    assert names == ["Virtual Reader 0", "Virtual Reader 1"]
    assert cli("run", "--profile", "windows", "--stack", "pcscd", "--", "true").code == 125


def test_one_reader_for_each_card(cli, self_command, here: Path):
    cards = ("piv:neutral", "none", "atr:3b80800101", "card.py:Echo,atr=3B00")
    options = [word for card in cards for word in ("--card", card)]
    said = cli("run", *options, "--", "sh", "-c", f"{self_command} ctl list")
    assert [line.split("\t")[1:3] for line in said.out.splitlines()] == [
        ["piv:neutral", "inserted"],
        ["no card", "out"],
        ["atr:3b80800101", "inserted"],
        ["card.py:Echo", "inserted"],
    ]


def test_card_of_ones_own(cli, self_command, here: Path):
    options = ("run", "--card", "card.py:Echo", "--", "sh", "-c")
    said = cli(*options, f"{self_command} apdu 00A40400:AABB=9000")
    assert said.out == "> 00 A4 04 00 02 AA BB\n< 00 A4 04 00 02 AA BB\n< 9000 OK\n"


def test_card_of_an_atr(cli, self_command):
    script = f"{self_command} apdu 00A40400=6D00"
    said = cli("run", "--card", "atr:3B80800101", "--", "sh", "-c", script)
    assert (said.code, said.err) == (0, "")


def test_an_invalid_atr_is_sent_with_a_warning(cli):
    said = cli("run", "--card", "atr:3BFF", "--", "true")
    assert said.code == 0
    assert said.err.startswith("vreader: warning: 3BFF is not a valid ATR (")
    assert said.err.count("\n") == 1


def test_state_file(cli, self_command, here: Path):
    verify = f"{self_command} apdu 00A40400:A000000308= 00200080:3030303030303030"
    for options in (("--state", "my.card"), ("--card", "piv,state=my.card")):
        said = cli("run", *options, "--", "sh", "-c", verify)
        assert said.code == 0
    assert "< 63C1" in said.out
    assert (here / "my.card").stat().st_mode & 0o777 == 0o600


def test_a_socket_path_that_is_not_private_is_not_needed(cli, monkeypatch, tmp_path: Path):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert cli("run", "--card", "none", "--", "sh", "-c", "test -S $VREADER_CONTROL").code == 0


# Signals --------------------------------------------------------------------------------------

TELL = 'trap "echo got {name}; exit 7" {name}; echo ready; while :; do sleep 0.01; done'


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "USR2", "QUIT", "INT"])
def test_signals_are_forwarded(vreader, name):
    words = [*vreader, "run", "--card", "none", "--", "sh", "-c", TELL.format(name=name)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
        assert run.stdout.readline() == "ready\n"
        run.send_signal(getattr(signal, f"SIG{name}"))
        assert run.stdout.readline() == f"got {name}\n"
        assert run.wait(60) == 7


@pytest.mark.parametrize("words", [("run",), ("serve",)])
@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_a_signal_ends_the_preparations(vreader, here: Path, short_tmp: Path, name, words):
    (here / "slow.py").write_text(
        "import time\nclass Slow:\n    def __init__(self):\n"
        "        print('making', flush=True)\n        time.sleep(60)\n"
    )
    command = [*vreader, *words, "--card", "slow.py:Slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "making\n"
        assert len(list(short_tmp.iterdir())) == 1
        run.send_signal(getattr(signal, f"SIG{name}"))
        assert run.wait(60) == 128 + getattr(signal, f"SIG{name}")
    assert list(short_tmp.iterdir()) == []


def test_an_interrupt_from_the_keyboard_reaches_the_child_once(vreader):
    script = 'trap "echo got it" INT; echo ready; read line; read line; echo $line; exit 5'
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(vreader[0], [*vreader, "run", "--card", "none", "--", "sh", "-c", script])
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    while b"got it" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"\nlast\n")
    while seen.split(b"got it")[1].count(b"last") < 2:  # the terminal's echo, and the child's
        try:
            seen += os.read(terminal, 1000)
        except OSError:
            break
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    assert seen.count(b"got it") == 1


def test_a_signal_ignored_by_us_is_ignored_by_the_child(vreader):
    script = "kill -HUP $$; echo alive"
    words = ["nohup", *vreader, "run", "--card", "none", "--", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "alive" in done.stdout


def test_killed_it_leaves_nothing_in_the_way(vreader, short_tmp: Path, cli):
    words = [*vreader, "run", "--card", "none", "--", "sh", "-c", "echo ready; read line"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        run.kill()
        run.wait(60)
        assert len(list(short_tmp.iterdir())) == 1
        assert cli("run", "--card", "none", "--", "true").code == 0
        assert list(short_tmp.iterdir()) == []


@pytest.mark.pcscd
def test_killed_with_a_pcscd_it_leaves_nothing_either(vreader, need, short_tmp: Path):
    need("pcscd", "pcscd")
    script = "echo ready; read line"
    words = [*vreader, "run", "--stack", "pcscd", "--card", "none", "--", "sh", "-c", script]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "ready\n"
        run.kill()
    again = [*vreader, "run", "--stack", "pcscd", "--card", "none", "--", "true"]
    assert subprocess.run(again, timeout=60).returncode == 0
    # The supervisor of the killed one cleans up in its own time.
    deadline = time.monotonic() + 60
    while left := list(short_tmp.iterdir()):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
