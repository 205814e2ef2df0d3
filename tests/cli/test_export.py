# SPDX-License-Identifier: Apache-2.0
"""``vreader export``: what was written as JSON lines or text, as Wireshark reads it."""

import subprocess

import pytest
from tshark import fields

TALK = """
RESET 3B80800101
> 00A4040005A000000308
< 9000
> 0020008004****3334
< ** 63C2
"""
NAMES = ("frame.interface_name", "_ws.col.Info", "frame.comment")
COMMANDS = ("00A40400:A000000308=", "00200080:31323334353637FF", "00CB3FFF:5C035FC102=")


@pytest.fixture
def tshark(need) -> str:
    return need("tshark", "tshark")


@pytest.mark.clients
def test_a_trace_exported_is_the_capture_written_live(cli, vreader, here, tshark):
    world = [*vreader, "run", "--card", "piv,seed=01", "--reader", "Desk"]
    told = []
    for name in ("live.pcapng", "trace.jsonl"):
        words = [*world, "--trace", name, "--", *vreader, "apdu", *COMMANDS]
        subprocess.run(words, timeout=60, check=True, capture_output=True)
    assert cli("export", "trace.jsonl", "exported.pcapng") == (0, "", "")
    for name in ("live.pcapng", "exported.pcapng"):
        rows = fields(tshark, here / name, *NAMES, only="iso7816")
        told.append([[*row[:2], row[2].rpartition("  ")[0]] for row in rows])
    assert told[0] == told[1]
    assert told[0][-2][:2] == ["Desk 00 00", "Unknown instruction"]
    assert (here / "exported.pcapng").stat().st_mode & 0o777 == 0o600


@pytest.mark.clients
def test_a_text_to_standard_output(vreader, here, tshark):
    (here / "talk.txt").write_text(TALK)
    done = subprocess.run(
        [*vreader, "export", "talk.txt", "-"], timeout=60, check=True, capture_output=True
    )
    told = fields(tshark, done.stdout, *NAMES)
    assert [row[1] for row in told[1:]] == [
        "Select file",
        "Response APDU (to Select file)",
        "Verify",
        "Response APDU (to Verify)",
    ]
    assert told[0][2] == "cold reset"
    assert told[1][2] == "SELECT PIV"
    assert told[3][2] == "VERIFY PIV PIN; bytes 5 to 8 are secret and written as zeros"
    assert told[4][2] == "2 tries left  1 B; byte 0 is secret and written as zeros"


def test_one_reader_of_several(cli, here):
    (here / "t.jsonl").write_text(
        '{"t": 0, "event": "CardEvent", "reader": "reader0", "change": "inserted"}\n'
        '{"t": 1, "event": "CardEvent", "reader": "reader1", "change": "removed"}\n'
    )
    assert cli("export", "t.jsonl", "t.pcapng", "--only", "reader1").code == 0
    written = (here / "t.pcapng").read_bytes()
    assert b"card removed" in written
    assert b"card inserted" not in written
    asked = cli("export", "t.jsonl", "t.pcapng", "--only", "reader2")
    assert (asked.code, asked.err) == (
        2,
        "vreader: t.jsonl has no reader 'reader2'\nhint: readers: reader0, reader1\n",
    )
    assert (here / "t.pcapng").read_bytes() == written


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("missing", "t.pcapng"), "cannot read the trace missing: No such file or directory"),
        (("talk.txt", "t.pcap"), "captures are pcapng files, and t.pcap is called none"),
        (("empty", "t.pcapng"), "empty has nothing in it"),
        (("bad", "t.pcapng"), "bad, line 2: not JSON: Expecting value: line 1 column 1 (char 0)"),
        (("x.pcapng", "./x.pcapng"), "./x.pcapng is what is to be exported"),
        (("talk.txt", "no/t.pcapng"), "cannot write the capture to no/t.pcapng: No such file or "
         "directory"),
    ],
)  # fmt: skip
def test_what_is_refused(cli, here, words, problem):
    (here / "talk.txt").write_text(TALK)
    (here / "empty").write_text("\n# nothing\n")
    (here / "bad").write_text('{"t": 0, "event": "X"}\nnonsense\n')
    (here / "x.pcapng").write_text(TALK)
    asked = cli("export", *words)
    assert asked.code in (2, 3)
    first, hint = asked.err.splitlines()
    assert first == f"vreader: {problem}"
    assert hint.startswith("hint: ")
    assert not (here / "t.pcapng").exists()


@pytest.mark.clients
def test_calls_of_a_minidriver_stand_around_their_commands(cli, here, tshark):
    words = ("CardAuthenticateEx", "1", "0", "313233343536", "--card", "piv")
    for name in ("call.pcapng", "call.jsonl"):
        assert cli("minidriver", "call", *words, "--trace", name).code == 0
    assert cli("export", "call.jsonl", "exported.pcapng").code == 0
    for name in ("call.pcapng", "exported.pcapng"):
        told = fields(tshark, here / name, "syslog.msg", "_ws.col.Info", "frame.interface_name")
        first = next(n for n, row in enumerate(told) if "CardAuthenticateEx(" in row[0])
        assert "pin=**" in told[first][0]
        assert [row[1] for row in told[first + 1 : first + 3]] == [
            "Verify",
            "Response APDU (to Verify)",
        ]
        assert "CardAuthenticateEx → SCARD_S_SUCCESS" in told[first + 3][0]
        assert {row[2] for row in told[first : first + 4]} == {"Virtual Reader 0"}
