# SPDX-License-Identifier: Apache-2.0
"""Cards of vpicc, in programs of their own: vpicc is others' work, and no part of our tests."""

import os
import subprocess
from pathlib import Path

import pytest
from missing import missing

from cards.vpicc.kind import KIND
from cards.vpicc.load import DEBIAN_PATH
from vreader.card import FileStore, MemoryStore
from vreader.cardspec import CardSpec
from vreader.errors import UsageError

CARDS = """
import sys
from virtualsmartcard.VirtualSmartcard import SmartcardOS

print("loaded", file=sys.stderr)

class Hello(SmartcardOS):
    def __init__(self, word="hi"):
        print("made")
        self.word = word.encode()

    def getATR(self):
        return bytes.fromhex("3B80800101")

    def execute(self, msg):
        print("asked")
        if msg[1] == 0xEE:
            sys.exit("enough")
        return self.word + bytes.fromhex("9000")

class Nothing:
    getATR = reset = None

class Fussy(SmartcardOS):
    def __init__(self):
        sys.exit(1)
"""


@pytest.fixture
def run(vreader, tmp_path):
    """Run our command line where vpicc is found, or not; return what it says and its code."""
    (tmp_path / "mine.py").write_text(CARDS)

    def run(*arguments: str, found: bool = True) -> subprocess.CompletedProcess:
        if found and not Path(DEBIAN_PATH).is_dir():
            missing("vpicc is missing: apt install vsmartcard-vpicc")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        return subprocess.run(
            [*vreader, *arguments],
            env=environment | ({"PYTHONPATH": DEBIAN_PATH} if found else {}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_its_own_card(run, vreader):
    # It cannot pack the answer to the second command, which ends vicc itself.
    script = ["apdu", "00A4000C:3F00=9000", "00A4=6F00", "0084/08=9000"]
    done = run("run", "--card", "vpicc", "--", *vreader, *script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("9000 OK") == 2


def test_its_other_card(run, need):
    opensc_tool = need("opensc-tool", "opensc")
    done = run("run", "--card", "vpicc:cryptoflex", "--", opensc_tool, "-a")
    assert done.stdout.startswith("3b:"), done.stderr


def test_a_class_of_somebody(run, vreader):
    script = ["apdu", "00CA=9000", "00EE=6F00", "00CA=9000"]
    done = run("run", "--card", "vpicc:mine.py:Hello,word=ho", "--", *vreader, *script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("< 68 6F") == 2
    assert "asked" not in done.stdout
    assert done.stderr.count("asked") == 3
    assert "sys.exit('enough')" in done.stderr


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("vpicc:mine.py:Hullo", "mine.py has no class Hullo"),
        ("vpicc:yours.py:Hello", "there is no file yours.py"),
        ("vpicc:mine.py:Nothing", "it has no getATR, powerUp, powerDown, reset, execute"),
        ("vpicc:mine.py:Fussy", "Fussy of mine.py cannot be made: SystemExit: 1"),
        ("vpicc:mine.py:Hello,colour=red", "Hello of mine.py cannot be made: TypeError"),
        ("vpicc:iso", "card kind vpicc has no profile 'iso'"),
        ("vpicc,pin=1", "card kind vpicc has no option 'pin'"),
    ],
)
def test_what_cannot_be_made(run, spec, problem):
    done = run("run", "--card", spec, "--", "true")
    assert done.returncode == 125
    assert problem in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_vpicc_is_not_found(run):
    done = run("run", "--card", "vpicc", "--", "true", found=False)
    assert done.returncode == 125
    assert (
        "needs vpicc, which cannot be imported: No module named 'virtualsmartcard'" in done.stderr
    )
    assert f"PYTHONPATH={DEBIAN_PATH}" in done.stderr


def test_where_another_package_has_its_name(run, tmp_path, monkeypatch):
    (tmp_path / "virtualsmartcard").mkdir()
    (tmp_path / "virtualsmartcard" / "VirtualSmartcard.py").write_text("import Crypto.Nonsense")
    monkeypatch.chdir(tmp_path)
    done = run("run", "--card", "vpicc", "--", "true", found=False)
    assert done.returncode == 125
    assert "cannot be imported" in done.stderr


def test_it_keeps_nothing():
    for options in (
        {"store": FileStore("x"), "seed": None},
        {"store": MemoryStore(), "seed": b"1"},
    ):
        with pytest.raises(UsageError):
            KIND.create("iso7816", {}, **options)
    assert CardSpec.parse("vpicc:dir/mine.py:Hello").profile == "dir/mine.py:Hello"
    with pytest.raises(UsageError, match="no profile"):
        CardSpec.parse("piv:mine.py:Hello").make()
