# SPDX-License-Identifier: Apache-2.0
"""``--fault`` and ``vreader ctl fault``: something goes wrong in a world that runs."""

import json

import pytest

READER = "Virtual Reader 00 00"


@pytest.fixture
def served(serve, monkeypatch):
    served = serve("--card", "piv", "--card", "none", "--fault", "mute,after=9,reader=0")
    monkeypatch.setenv("VREADER_CONTROL", served.environment["VREADER_CONTROL"])
    return served


def test_set_tell_and_clear(cli, served):
    assert cli("ctl", "fault") == (0, f"{READER}\tmute,after=9,reader=0\tstruck 0\t1 left\n", "")
    told = cli("ctl", "fault", "1", "slow,times=always")
    assert told.out == "Virtual Reader 2 00 00\tslow,times=always\tstruck 0\talways\n"
    assert cli("ctl", "fault", READER).out.count("\n") == 1
    assert cli("ctl", "fault", "wrong-sw,on=GET DATA,reader=1").code == 0
    told = json.loads(cli("ctl", "fault", "--json").out)
    assert [fault["fault"] for fault in told] == [
        "mute,after=9,reader=0", "slow,times=always", "wrong-sw,on=GET DATA,reader=1",
    ]  # fmt: skip
    assert told[1] == {
        "reader": "Virtual Reader 2 00 00",
        "fault": "slow,times=always",
        "seen": 0,
        "struck": 0,
        "left": None,
    }
    assert cli("ctl", "fault", "1", "--clear").out == ""
    assert cli("ctl", "fault", "0", "truncate", "--clear").out.startswith(f"{READER}\ttruncate")
    assert cli("ctl", "fault", "--clear") == (0, "", "")
    assert json.loads(cli("ctl", "fault", "--json").out) == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["fault", "0", "mut"], "did you mean mute?"),
        (["fault", "mut"], "did you mean mute?"),
        (["fault", "mute"], "Virtual Reader 2 00 00"),
        (["fault", "0", "mute,on=VERFY"], "did you mean VERIFY?"),
        (["fault", "7", "mute"], READER),
        (["list", "--clear"], "vreader ctl --help"),
        (["insert", "0", "mute"], "vreader ctl --help"),
    ],
)
def test_what_is_wrong_is_told(cli, served, words, hint):
    done = cli("ctl", *words)
    assert done.code != 0
    assert hint in done.err
    assert "Traceback" not in done.err


def test_a_wrong_fault_starts_no_command(cli):
    done = cli("run", "--fault", "exploding", "--", "true")
    assert done.code == 125
    assert "hint: faults: mute, remove-mid-apdu, wrong-sw" in done.err


def test_a_program_meets_it(vreader, cli):
    apdu = " ".join([*vreader, "apdu", "00A40400:A000000308"])
    done = cli("run", "--fault", "wrong-sw,sw=6A82,on=SELECT", "--", "sh", "-c", f"{apdu}; {apdu}")
    assert "< 6A82" in done.out
    assert "< 9000" in done.out
