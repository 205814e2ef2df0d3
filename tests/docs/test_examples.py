# SPDX-License-Identifier: Apache-2.0
"""The documentation's Python examples run, and their cards do what the pages say."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vreader.card import CardKind, FileStore, MemoryStore
from vreader.cardspec import CardSpec

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=str(page.relative_to(ROOT)))
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    for block in BLOCK.findall(page.read_text())
]


@pytest.fixture
def python(tmp_path):
    """Run Python with arguments in an empty directory and return its output."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": os.pathsep.join([scripts, os.environ["PATH"]])}

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def purse():
    spec = importlib.util.spec_from_file_location("purse", EXAMPLES / "purse" / "purse.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_page_shows(python, need, tmp_path, block):
    if "opensc-tool" in block:
        need("opensc-tool", "opensc")
    if "def test_" not in block:
        python("-c", block)
        return
    (tmp_path / "test_shown.py").write_text(block)
    python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shown.py")


def test_world(python, need):
    need("opensc-tool", "opensc")
    assert python(EXAMPLES / "world.py").startswith("3b:fd:13")


def test_faults(python):
    told = python(EXAMPLES / "faults.py").splitlines()
    assert told == ["No smartcard (0x8010000C)", "1 0 ABSENT", "63c3"]


def test_the_tests_of_the_ci_page(python):
    output = python("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLES / "test_with_card.py")
    assert "3 passed" in output


@pytest.mark.pcscd
def test_the_tests_of_the_pytest_page(python, need):
    need("opensc-tool", "opensc opensc-pkcs11")
    need("pcscd", "pcscd vsmartcard-vpcd")
    tests = EXAMPLES / "pytest"
    output = python("-m", "pytest", "-q", "-Werror", "-p", "no:cacheprovider", tests)
    assert "13 passed" in output


def test_in_process(python):
    lines = python(EXAMPLES / "in_process.py").splitlines()
    assert "Virtual Reader 00 00 NEGOTIABLE" in lines
    assert "Virtual Reader 00 00 ABSENT" in lines


def test_device(python):
    assert python(EXAMPLES / "device.py") == "STATUS_SUCCESS 3b80800101\nSTATUS_SUCCESS 00299000\n"


def test_scard(python):
    assert python(EXAMPLES / "scard.py").splitlines()[-1] == "002a9000"


def test_control(python):
    output = python("-m", "vreader", "run", "--", sys.executable, EXAMPLES / "control.py")
    assert '"inserted": false' in output
    assert output.count('"ok": true') == 3


def test_counter_counts_and_forgets():
    card = CardSpec.parse(f"{EXAMPLES / 'counter.py'}:Counter,start=65535").make()
    assert card is not None
    assert card.power_on() == bytes.fromhex("3B80800101")
    assert card.transmit(bytes.fromhex("00100000")) == b"\x90\x00"
    assert card.transmit(bytes.fromhex("0020000002")) == bytes.fromhex("00009000")
    assert card.reset() == bytes.fromhex("3B80800101")
    assert card.transmit(bytes.fromhex("0020000002")) == bytes.fromhex("FFFF9000")
    assert card.transmit(b"") == b"\x6d\x00"


def talk(card, *apdus: str) -> list[str]:
    card.power_on()
    card.transmit(bytes.fromhex("00A4040007F0707572736531"))
    return [card.transmit(bytes.fromhex(apdu)).hex().upper() for apdu in apdus]


def test_purse_is_a_card_kind(purse):
    kind: CardKind = purse.KIND
    assert next(iter(kind.profiles())) == "plain"
    assert kind.describe(bytes.fromhex("002000010431323334"), purse.AID).secret == ((5, 9),)


def test_purse_pays_after_its_pin(purse):
    card = purse.KIND.create("plain", {}, MemoryStore(), None)
    pay, verify = "80520000040000000A", "00200001043132333400"
    assert talk(card, pay, verify, pay, "8050000004") == ["6982", "9000", "9000", "0000005A9000"]
    assert talk(card, verify, "80520000040000FFFF", "80520001", "00200001", "00990000") == [
        "9000", "6985", "6A86", "6A86", "6D00",
    ]  # fmt: skip


def test_purse_blocks_and_remembers(purse, tmp_path):
    store = FileStore(str(tmp_path / "purse"))
    card = purse.KIND.create("plain", {"balance": "7"}, store, None)
    wrong = "00200001043939393900"
    assert talk(card, wrong, wrong) == ["63C2", "63C1"]
    card.close()
    card = purse.KIND.open(store)
    assert talk(card, wrong, wrong, "8050000004") == ["63C0", "6983", "000000079000"]
    card.close()
