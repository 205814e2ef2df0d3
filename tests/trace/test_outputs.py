# SPDX-License-Identifier: Apache-2.0
"""The files a world writes beside its work."""

from contextlib import ExitStack

import pytest

from vreader.clock import ManualClock
from vreader.errors import UsageError, VreaderError
from vreader.events import Emitter
from vreader.smclib.debug import DEBUG_ATR, SmartcardGetDebugLevel
from vreader.smclib.events import DebugEvent, DriverLogEvent
from vreader.trace.outputs import open_outputs
from vreader.wdm import IoManager

NOTHING = {"trace": None, "unmask": False, "debug": None, "log": None}


@pytest.fixture
def io():
    return IoManager(ManualClock(), Emitter())


def test_a_filtered_trace_sets_the_level_of_the_library(io, tmp_path):
    path = tmp_path / "t.txt"
    with ExitStack() as closers:
        open_outputs(closers, io, list, **NOTHING | {"trace": str(path), "debug": "atr"})
        assert SmartcardGetDebugLevel(io) == DEBUG_ATR
        io.events.emit(DebugEvent("reader0", DEBUG_ATR, "TA1 is 96"))
        io.events.emit(DriverLogEvent("reader0", "x", "y"))
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert "TA1 is 96" in lines[1]
    assert not io.events


def test_an_unfiltered_trace_leaves_the_level(io, tmp_path):
    with ExitStack() as closers:
        open_outputs(closers, io, list, **NOTHING | {"trace": str(tmp_path / "t")})
        assert SmartcardGetDebugLevel(io) == 0
        assert io.events


def test_the_log_is_written_at_the_end(io, tmp_path):
    path = tmp_path / "a.json"
    with ExitStack() as closers:
        open_outputs(closers, io, list, **NOTHING | {"log": str(path)})
        assert path.read_text() == ""
    assert path.read_text() == "[]\n"


def test_a_level_that_is_none_costs_no_file_its_content(io, tmp_path):
    log = tmp_path / "a.txt"
    log.write_text("of the last run")
    given = {"trace": str(tmp_path / "t"), "debug": "x", "log": str(log)}
    with ExitStack() as closers, pytest.raises(UsageError):
        open_outputs(closers, io, list, **NOTHING | given)
    assert log.read_text() == "of the last run"


@pytest.mark.parametrize(
    ("given", "error"),
    [({"trace": "-", "debug": "x"}, UsageError), ({"log": "/no/x"}, VreaderError)],
)
def test_what_may_go_wrong(io, given, error):
    with ExitStack() as closers, pytest.raises(error):
        open_outputs(closers, io, list, **NOTHING | given)
    assert not io.events
