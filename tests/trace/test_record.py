# SPDX-License-Identifier: Apache-2.0
"""A recording has what was said to cards, and nothing else."""

import json
import stat

import pytest

from vreader.errors import UsageError, VreaderError
from vreader.events import Emitter
from vreader.reader.events import ApduEvent, CardEvent, FaultEvent
from vreader.recording import FORMAT
from vreader.smclib.events import StateEvent
from vreader.trace.record import open_recording


def test_what_is_written(tmp_path):
    path, events = tmp_path / "talk", Emitter()
    close = open_recording(str(path), events)
    for event in (
        CardEvent("r", "inserted"),
        FaultEvent("r", "mute"),
        StateEvent("r", "ABSENT", "card inserted", "PRESENT"),
        ApduEvent("r", b"\0\xb0", b"\x90\0", (), (), "", 0.0),
    ):
        events.emit(event)
    close()
    events.emit(CardEvent("r", "removed"))
    first, *others = map(json.loads, path.read_text().splitlines())
    assert (first["event"], first["format"], first["unmasked"]) == ("TraceOpened", FORMAT, False)
    assert [record["event"] for record in others] == ["CardEvent", "FaultEvent", "ApduEvent"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "problem"),
    [("-", "needs a file"), ("a.pcapng", "not packet captures"), ("no/such", "cannot write")],
)
def test_what_cannot_be_written(tmp_path, monkeypatch, name, problem):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(VreaderError, match=problem) as caught:
        open_recording(name, Emitter())
    assert caught.value.hint
    assert isinstance(caught.value, UsageError) == (name != "no/such")
