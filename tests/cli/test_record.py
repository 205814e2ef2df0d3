# SPDX-License-Identifier: Apache-2.0
"""Recording what a command says to a card."""

import importlib.util
import json

import pytest
from missing import missing

from vreader.recording import load

PIN = "00200080:363534333231FFFF"


def test_a_command_is_recorded(command, vreader, here):
    said = command(
        "record", "-o", "talk", "--card", "piv,pin=654321", "--",
        *vreader, "apdu", "00A40400:A000000308", PIN, cwd=here,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.err == "vreader: 2 commands in talk\n"
    [session] = load(str(here / "talk"))
    assert [exchange.answer[-2:] for exchange in session.exchanges] == [b"\x90\0"] * 2
    events = {json.loads(line)["event"] for line in (here / "talk").read_text().splitlines()}
    assert events == {"TraceOpened", "CardEvent", "ApduEvent"}
    assert b"654321".hex() not in (here / "talk").read_text()


def test_secrets_are_there_where_they_are_to_be(command, vreader, here):
    said = command(
        "record", "-o", "talk", "--unmask", "--card", "piv", "--", *vreader, "apdu", PIN, cwd=here
    )
    assert said.code == 0
    assert b"654321".hex() in (here / "talk").read_text()


def test_the_code_is_the_commands_own(command, here):
    said = command("record", "-o", "talk", "--", "sh", "-c", "exit 7", cwd=here)
    assert (said.code, said.err) == (7, "vreader: 0 commands in talk\n")


def test_a_full_disk(command, vreader):
    said = command("record", "-o", "/dev/full", "--card", "piv", "--", *vreader, "apdu", PIN)
    assert said.code == 125
    assert "warning: the recording to /dev/full ends here: No space" in said.err
    assert "vreader: /dev/full does not have all of 1 command\n" in said.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--card", "nobody", "--", "true"], 125),
        (["--card", "piv,pin=x", "--", "true"], 125),
        (["--fault", "mute,reader=Nobody", "--", "true"], 125),
        (["--", "no-such-command"], 127),
        (["--", ""], 127),
        (["--", "./talk"], 126),
    ],
)
def test_a_mistake_costs_no_recording(cli, here, words, code):
    (here / "talk").write_text("precious")
    assert cli("record", "-o", "talk", *words).code == code
    assert (here / "talk").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--", "true"], "required: -o"),
        (["-o", "-", "--", "true"], "a recording needs a file"),
        (["-o", "talk.pcapng", "--", "true"], "not packet captures"),
        (["-o", "no/such", "--", "true"], "cannot write the recording"),
        (["-o", "talk", "--trace", "talk", "--", "true"], "is the trace's file"),
        (["-o", "talk", "--log", "talk", "--", "true"], "is the log's file"),
        (["-o", "talk", "--state", "talk", "--", "true"], "is the card's own file"),
        (["-o", "talk", "--card", "replay,file=talk", "--", "true"], "is the card's own file"),
        (["-o", "link", "--card", "replay,file=talk", "--", "true"], "is the card's own file"),
        (["-o", "talk", "--carb", "piv", "--", "true"], "unrecognized arguments: --carb"),
        (["-o", "talk", "pcsc:ACS", "--carb", "piv", "--", "true"], "unrecognized arguments"),
        (["-o", "talk", "pcsc:A,B", "--", "true"], "has a comma"),
        (["-o", "talk", "pcsc:ACS", "true"], "what is 'true'?"),
        (["-o", "talk", "--reader", "pcsc:A,B", "--", "true"], "has a comma"),
    ],
)
def test_bad_usage(cli, here, words, problem):
    (here / "talk").write_text("precious")
    (here / "link").hardlink_to(here / "talk")
    said = cli("record", *words)
    assert said.code == 125
    assert problem in said.err
    assert "hint: " in said.err
    assert "Traceback" not in said.err
    assert (here / "talk").read_text() == "precious"


def test_the_card_of_another_reader(serve, vreader, tmp_path):
    if importlib.util.find_spec("smartcard") is None:
        missing("pyscard is missing: pip install 'vreader[pcsc]'")
    far = serve("--card", "piv,seed=01", "--reader", "Distant Reader")
    apdu = [*vreader, "apdu", "00A40400:A000000308", "00F8=9000"]
    one, other = tmp_path / "one", tmp_path / "other"
    far.run(*vreader, "record", "-o", one, "pcsc:Distant", "--trace", tmp_path / "t", "--", *apdu)
    far.run(*vreader, "record", "-o", other, "--reader", "pcsc:Distant", "--", *apdu)
    assert len(load(str(one))[0].exchanges) == len(load(str(other))[0].exchanges) == 2
    assert far.run(*vreader, "replay", one, "--reader", "pcsc:Distant").stdout.endswith(
        "2 commands, no difference\n"
    )
