# SPDX-License-Identifier: Apache-2.0
"""A PIV card is recorded with real programs, and replayed to them without any card code."""

import subprocess

import pytest

from vreader.card import MemoryStore
from vreader.errors import UsageError
from vreader.kinds import find_kind


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"strict": "maybe"}, "strict=maybe"), ({"atr": "3"}, "atr=3"), ({"atr": ""}, "atr= is not"),
     ({"atr": "3B" * 34}, "is not an ATR")],
)  # fmt: skip
def test_bad_options(options, problem):
    with pytest.raises(UsageError, match=problem):
        find_kind("replay").create("trace", {"file": "x"} | options, MemoryStore(), None)


@pytest.mark.clients
def test_a_recorded_piv_card(need, vreader, tmp_path):
    status = [need("yubico-piv-tool", "yubico-piv-tool"), "-r", "Virtual", "-a", "status"]
    verify = [status[0], "-r", "Virtual", "-a", "verify-pin", "-P", "123456"]
    name = [need("opensc-tool", "opensc"), "-n"]
    trace, again = tmp_path / "trace.jsonl", tmp_path / "again.jsonl"

    def session(*options):
        script = "\n".join(" ".join(command) for command in (status, verify, name))
        return subprocess.run(
            [*vreader, "run", *map(str, options), "--", "sh", "-ec", script],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip

    recorded = session("--card", "piv", "--trace", trace)
    replayed = session("--card", f"replay,file={trace}", "--trace", again)
    assert "Personal Identity Verification Card" in recorded.stdout
    assert "PIN tries left" in recorded.stdout
    assert replayed.stdout == recorded.stdout
    assert replayed.stderr == recorded.stderr
    assert b"123456".hex() not in (trace.read_text() + again.read_text())


@pytest.mark.clients
def test_what_the_apdu_command_prints_is_a_recording(vreader, tmp_path):
    record = tmp_path / "talk.txt"

    def apdu(card):
        command = [*vreader, "run", "--card", card, "--", *vreader, "apdu"]
        return subprocess.run(
            [*command, "00A40400:A000000308", "00CB3FFF:5C017E/00", "00200080"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip

    record.write_text(apdu("piv"))
    assert apdu(f"replay,file={record}") == record.read_text()
