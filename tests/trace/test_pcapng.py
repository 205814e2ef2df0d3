# SPDX-License-Identifier: Apache-2.0
"""Captures: whole blocks whatever happens, and what Wireshark decodes of them without setup."""

import os
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tshark import fields

from vreader.events import Emitter
from vreader.host.events import ReaderNamed
from vreader.reader.events import ApduEvent, CardEvent, CardFaultEvent
from vreader.smclib.debug import DEBUG_PROTOCOL
from vreader.smclib.events import DebugEvent, StateEvent
from vreader.trace import open_trace
from vreader.trace.events import TraceOpened
from vreader.trace.pcapng import NO_TIME, PcapngFormat
from vreader.wdm.events import IrpEvent

SELECT = bytes.fromhex("00A4040005A00000030800")
VERIFY = bytes.fromhex("0020008008") + bytes(8)
ATR = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")
ISO = ("_ws.col.Protocol", "_ws.col.Info")


def apdu(command: bytes, response: bytes, text: str = "", problem: str = "", **more) -> ApduEvent:
    told = {"masked": (), "masked_response": (), "seconds": 0.25, **more}
    return ApduEvent("reader0", command, response, text=text, problem=problem, **told)


@pytest.fixture
def tshark(need) -> str:
    return need("tshark", "tshark")


@pytest.fixture
def capture(tmp_path):
    """Write events into a capture that stays open."""

    @contextmanager
    def write(*events, **options) -> Iterator:
        emitter, path = Emitter(), tmp_path / "t.pcapng"
        close = open_trace(str(path), emitter, **options)
        try:
            for event in events:
                emitter.emit(event)
            yield path
        finally:
            close()

    return write


# ---------------------------------------------------------------------- without Wireshark


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, length - 4) == (length,)
        found.append((kind, data[8 : length - 4]))
        data = data[length:]
    return found


TEXTS = st.text(st.characters() | st.sampled_from("\n\x1b\udc80→"), max_size=30)
EVENTS = st.one_of(
    st.builds(ReaderNamed, TEXTS, TEXTS),
    st.builds(CardEvent, TEXTS, TEXTS, st.binary(max_size=40), TEXTS),
    st.builds(
        apdu, st.binary(min_size=2, max_size=30), st.binary(max_size=30), TEXTS, TEXTS,
        masked=st.sampled_from([(), ((0, 1),), ((1, 2), (3, 9))]),
        seconds=st.floats(-1, 1e6),
    ),
    st.builds(CardFaultEvent, TEXTS, TEXTS),
    st.builds(StateEvent, TEXTS, TEXTS, TEXTS, TEXTS),
)  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 1e9), EVENTS), max_size=5))
def test_whatever_happens_blocks_are_whole(events):
    write = PcapngFormat()
    data = write(0.0, NO_TIME) + b"".join(write(*told) for told in events)
    kinds = [kind for kind, _ in blocks(data)]
    assert kinds[:2] == [0x0A0D0D0A, 1]
    interfaces = 0
    for kind, body in blocks(data):
        interfaces += kind == 1
        if kind == 6:
            assert struct.unpack_from("<I", body)[0] < interfaces
    assert kinds.count(6) >= len(events)


def test_what_carries_the_rest_is_left_out(capture):
    carrying = (
        IrpEvent("reader0", "DEVICE_CONTROL", 0x310014, "STATUS_SUCCESS", 2),
        DebugEvent("reader0", DEBUG_PROTOCOL, "x"),
    )
    with capture(*carrying) as path:
        assert {kind for kind, _ in blocks(path.read_bytes())} == {0x0A0D0D0A, 1}
    with capture(*carrying, level=DEBUG_PROTOCOL) as path:
        assert [kind for kind, _ in blocks(path.read_bytes())].count(6) == 1


def test_a_filter_leaves_readers_their_names(capture):
    events = ReaderNamed("reader0", "Desk 00 00"), apdu(SELECT, b"\x90\0")
    with capture(*events, level=DEBUG_PROTOCOL) as path:
        assert b"Desk 00 00" in path.read_bytes()


# ---------------------------------------------------------------------- with it


@pytest.mark.clients
def test_atr_commands_and_responses(capture, tshark):
    events = (
        ReaderNamed("reader0", "Virtual Reader 00 00"),
        CardEvent("reader0", "cold reset", ATR),
        apdu(SELECT, bytes.fromhex("6106 4F04A0000003 9000"), "SELECT PIV"),
        apdu(VERIFY, b"\x63\xc2", "VERIFY PIV PIN", masked=((5, 13),)),
    )
    names = (*ISO, "frame.interface_name", "frame.comment", "frame.time_epoch")
    with capture(*events, now=iter(range(100)).__next__) as path:
        told = fields(tshark, path, *names, only="iso7816 || iso7816.atr")
    assert [row[:2] for row in told] == [
        ["ISO 7816", told[0][1]],
        ["ISO 7816", "Select file"],
        ["ISO 7816", "Response APDU (to Select file)"],
        ["ISO 7816", "Verify"],
        ["ISO 7816", "Response APDU (to Verify)"],
    ]
    assert told[0][1].startswith("ATR, TA(1)=True")
    assert {row[2] for row in told} == {"Virtual Reader 00 00"}
    assert [row[3] for row in told] == [
        "cold reset",
        "SELECT PIV",
        "OK  8 B  250.0 ms",
        "VERIFY PIV PIN; bytes 5 to 12 are secret and written as zeros",
        "2 tries left  250.0 ms",
    ]
    start = float(told[0][4])
    times = [round(float(row[4]) - start, 2) for row in told]
    assert times == [0, 0.75, 1, 1.75, 2]


@pytest.mark.clients
def test_fields_to_filter_by(capture, tshark):
    long = bytes.fromhex("00DB3FFF00FF00") + bytes(0xFF00)
    events = (
        CardEvent("reader0", "warm reset", ATR),
        apdu(long, bytes(65536) + b"\x90\0"),
        apdu(SELECT, b"\x6a\x82"),
    )
    names = ("iso7816.atr.t0", "iso7816.apdu.ins", "iso7816.apdu.sw1", "frame.len")
    with capture(*events) as path:
        told = fields(tshark, path, *names)
        wrong = fields(tshark, path, "_ws.malformed", "_ws.expert.message")
    assert told[0][0] == "0xfd"
    assert [row[1] for row in told[1:]] == ["0xdb", "", "0xa4", ""]
    assert [row[2] for row in told[1:]] == ["", "0x90", "", "0x6a"]
    assert int(told[1][3]) > len(long)
    assert int(told[2][3]) > 65536
    assert not any(row[0] for row in wrong)


@pytest.mark.clients
def test_what_else_happens_is_text_with_a_severity(capture, tshark):
    events = (
        CardEvent("reader0", "inserted"),
        CardEvent("reader0", "cold reset", b"\x12garbled"),
        CardEvent("reader0", "cold reset", problem="mute"),
        apdu(SELECT, b"", problem="gone"),
        CardFaultEvent("reader0", "Traceback\n  ValueError"),
    )
    with capture(*events) as path:
        told = fields(tshark, path, "syslog.level", "syslog.msg", "_ws.col.Info")
    assert [row[:2] for row in told if row[0]] == [
        ["6", "reader0: card inserted"],
        ["6", "reader0: cold reset  ATR 12 67 61 72 62 6C 65 64"],
        ["3", "reader0: cold reset  the card does not answer"],
        ["3", "reader0: no response: the card is gone  250.0 ms"],
        ["3", told[-1][1]],
    ]
    assert "ValueError" in told[-1][1]
    assert "Select file" in told[3][2]


@pytest.mark.clients
def test_two_readers_are_two_interfaces_also_of_a_second_trace(tshark):
    write = PcapngFormat()
    opened = TraceOpened("1", "2026-11-26T07:00:00.500+00:00", True)
    data = b""
    for event in (
        opened,
        ReaderNamed("reader0", "One"), ReaderNamed("reader1", "Two"),
        apdu(SELECT, b"\x90\0"), CardEvent("reader1", "cold reset", ATR),
        opened, CardEvent("reader1", "cold reset", ATR),
    ):  # fmt: skip
        data += write(0.0, event)
    told = fields(tshark, data, "frame.interface_name", "frame.time_epoch", only="iso7816")
    assert [row[0] for row in told] == ["One", "One", "Two", "reader1"]
    assert float(told[-1][1]) == 1795676400.5


@pytest.mark.clients
def test_a_capture_is_readable_when_the_world_was_killed(vreader, tmp_path, tshark):
    path = tmp_path / "killed.pcapng"
    script = '"$@" apdu 00A40400:A000000308= && kill -9 $PPID'
    done = subprocess.run(
        [*vreader, "run", "--trace", path, "--", "sh", "-c", script, "sh", *vreader],
        timeout=60, capture_output=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert path.stat().st_mode & 0o777 == 0o600
    told = fields(tshark, path, "_ws.col.Info", only="iso7816")
    assert [row[0] for row in told[-2:]] == ["Select file", "Response APDU (to Select file)"]


def test_a_full_disk_ends_the_capture_with_one_warning(tmp_path):
    path = tmp_path / "full.pcapng"
    path.symlink_to("/dev/full")
    warnings, emitter = [], Emitter()
    close = open_trace(str(path), emitter, warn=warnings.append)
    emitter.emit(CardEvent("reader0", "inserted"))
    close()
    assert warnings == [f"the trace to {path} ends here: {os.strerror(28)}"]
