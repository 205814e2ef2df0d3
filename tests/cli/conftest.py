# SPDX-License-Identifier: Apache-2.0
"""Running the command line: in this process where that is enough, else in one of its own."""

import gc
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from vreader.cli import main

CARD = '''
class Echo:
    """Answers with the command, a fixed ATR, and remembers how it was made."""

    def __init__(self, atr="3B80800101"):
        self.atr = bytes.fromhex(atr)

    def power_on(self):
        return self.atr

    def reset(self):
        return self.atr

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return c_apdu + bytes((0x90, 0))


class NotACard:
    pass


class Broken:
    def __init__(self):
        raise RuntimeError("it broke")
'''


class Said(NamedTuple):
    """What the command line answered."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_world_around(monkeypatch) -> None:
    """These tests may themselves run in a world."""
    monkeypatch.delenv("PCSCLITE_CSOCK_NAME", raising=False)
    monkeypatch.delenv("VREADER_CONTROL", raising=False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    """A working directory with a file ``card.py`` of cards in it."""
    (tmp_path / "card.py").write_text(CARD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(monkeypatch, capfd) -> Iterator[Callable[..., Said]]:
    """Run the command line in this process."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["vreader", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Said(ended.value.code, out, err)

    yield run
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.unfreeze()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def command(vreader: list[str]) -> Callable[..., Said]:
    """Run the command line in a process of its own; words ``before`` it may change its rights."""

    def run(*words: str, before: Sequence[str] = (), **options) -> Said:
        done = subprocess.run(
            [*before, *vreader, *words],
            **{"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60}
            | options,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def short_tmp(monkeypatch) -> Iterator[Path]:
    """A directory for everything private, so that what is left behind shows."""
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="vt-", dir="/tmp"))
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A TCP server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def self_command(vreader: list[str]) -> str:
    """The command line as one word list for a shell."""
    return " ".join(vreader)
