# SPDX-License-Identifier: Apache-2.0
import errno
import io
import os
import stat
import threading
from pathlib import Path

import pytest

from vreader.errors import UsageError, VreaderError
from vreader.events import Emitter
from vreader.reader.events import CardEvent
from vreader.trace import open_trace, sink

EVENT = CardEvent("reader0", "inserted")


@pytest.fixture
def emitter():
    return Emitter()


@pytest.fixture
def warnings():
    return []


@pytest.mark.parametrize("name", ["trace.txt", "trace.jsonl", "TRACE.JSONL", "no-suffix"])
def test_the_name_decides_the_form(tmp_path, emitter, name):
    close = open_trace(str(tmp_path / name), emitter)
    emitter.emit(EVENT)
    lines = (tmp_path / name).read_text().splitlines()  # flushed before it is closed
    close()
    assert len(lines) == 2
    assert all(line.startswith("{") for line in lines) == name.lower().endswith("jsonl")


def test_closing_takes_the_sink_away_and_may_be_repeated(tmp_path, emitter):
    close = open_trace(str(tmp_path / "t"), emitter)
    close()
    close()
    assert not emitter


def test_a_file_is_its_owners_alone_and_replaced(tmp_path, emitter):
    path = tmp_path / "t"
    path.write_text("old" * 1000)
    path.chmod(0o644)
    before = os.umask(0)
    try:
        open_trace(str(path), emitter)()
        open_trace(str(tmp_path / "new"), emitter)()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    assert "old" not in path.read_text()


def test_what_is_no_regular_file_keeps_its_mode(emitter):
    mode = Path(os.devnull).stat().st_mode
    open_trace(os.devnull, emitter)()
    assert Path(os.devnull).stat().st_mode == mode


@pytest.mark.parametrize("name", ["missing/t", ".", "fifo"])
def test_a_file_that_cannot_be_written(tmp_path, emitter, name):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(VreaderError, match="cannot write the trace to") as caught:
        open_trace(str(tmp_path / name), emitter)
    assert caught.value.hint
    assert not emitter


@pytest.mark.parametrize("target", ["", "a\0b", "x.pcap", "x.PCAP"])
def test_a_target_that_makes_no_sense(emitter, target):
    with pytest.raises(UsageError) as caught:
        open_trace(target, emitter)
    assert caught.value.hint


def test_standard_error_is_left_open(emitter, capsys):
    close = open_trace("-", emitter)
    emitter.emit(EVENT)
    close()
    told = capsys.readouterr().err
    assert told.endswith("reader0   card inserted\n")
    assert "\x1b" not in told


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_gets_colour_unless_it_is_refused(emitter, monkeypatch, variables, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    close = open_trace("-", emitter)
    emitter.emit(EVENT)
    close()
    assert ("\x1b[" in terminal.getvalue()) == coloured


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("unmask", [False, True])
def test_a_full_disk_ends_the_trace_with_one_warning(emitter, warnings, unmask):
    close = open_trace("/dev/full", emitter, unmask=unmask, warn=warnings.append)
    for _ in range(5):
        emitter.emit(EVENT)
    close()
    assert warnings == [f"the trace to /dev/full ends here: {os.strerror(errno.ENOSPC)}"]


def test_a_stream_somebody_closed_ends_the_trace(emitter, warnings, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    close = open_trace("-", emitter, warn=warnings.append)
    stream.close()
    emitter.emit(EVENT)
    emitter.emit(EVENT)
    close()
    assert len(warnings) == 1


def test_a_warning_nobody_hears_raises_nothing(monkeypatch):
    from vreader.trace import warn_on_stderr

    for stream in (None, io.StringIO()):
        if stream is not None:
            stream.close()
        monkeypatch.setattr("sys.stderr", stream)
        warn_on_stderr("x")


def test_a_bug_in_a_format_costs_one_entry_and_quotes_nothing(warnings):
    def write(seconds, event):
        if event.change == "removed":
            raise ValueError("secret")
        return "shown\n"

    stream = io.StringIO()
    writer = sink.WritingSink(stream, "t", write, lambda: 0.0, warnings.append, owned=False)
    writer(CardEvent("r", "removed"))
    writer(EVENT)
    assert stream.getvalue() == "shown\n"
    assert len(warnings) == 1
    assert "CardEvent (ValueError)" in warnings[0]
    assert "secret" not in warnings[0]


def test_seconds_start_with_the_trace(emitter, tmp_path):
    times = iter([100.0, 100.0, 100.25])
    close = open_trace(str(tmp_path / "t"), emitter, now=lambda: next(times))
    emitter.emit(EVENT)
    close()
    assert (tmp_path / "t").read_text().splitlines()[1].startswith("  0.250000  ")


def test_entries_of_several_threads_stay_whole(emitter, tmp_path):
    close = open_trace(str(tmp_path / "t"), emitter)
    start = threading.Barrier(4)

    def emit():
        start.wait()
        for _ in range(200):
            emitter.emit(EVENT)

    threads = [threading.Thread(target=emit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close()
    lines = (tmp_path / "t").read_text().splitlines()[1:]
    assert len(lines) == 800
    assert all(line.endswith("  reader0   card inserted") for line in lines)
    assert lines == sorted(lines)
