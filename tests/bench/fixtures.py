# SPDX-License-Identifier: Apache-2.0
"""What a test with a fresh world costs beside an empty one: whole tests, as pytest runs them."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from routes import Unmeasurable

EMPTY = "an empty test"
LOCAL = "a test with a fresh world in process"
REMOTE = "a test with a fresh embedded socket"

_CONFTEST = """
import json, time
import pytest

took = {}

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    start = time.perf_counter_ns()
    try:
        return (yield)
    finally:
        took.setdefault(item.originalname, []).append(time.perf_counter_ns() - start)

def pytest_sessionfinish():
    print("took:", json.dumps(took))
"""
_TESTS = """
import pytest

SELECT = bytes.fromhex("00A4040005A000000308")
pytestmark = pytest.mark.parametrize("time", range({count}))

def test_empty(time):
    pass

def test_local(vreader, time):
    scard = vreader.scard
    context = scard.SCardEstablishContext()
    card, protocol = scard.SCardConnect(context, vreader.places[0].name)
    assert scard.SCardTransmit(card, protocol, SELECT)[-2:] == b"\\x90\\0"

def test_remote(vreader_pcsc, time):
    from vreader.bridge.pcsclite.client import PcscClient
    with PcscClient(vreader_pcsc.environment["PCSCLITE_CSOCK_NAME"]) as client:
        assert client.readers()[0].atr
"""
_NAMES = {"test_empty": EMPTY, "test_local": LOCAL, "test_remote": REMOTE}


def tests_with_worlds(count: int) -> dict[str, list[int]]:
    """Nanoseconds of ``count`` tests of each sort; what a first one imports is not in them."""
    with tempfile.TemporaryDirectory(prefix="vb-") as directory:
        Path(directory, "conftest.py").write_text(_CONFTEST)
        Path(directory, "test_it.py").write_text(_TESTS.format(count=count + 1))
        command = [sys.executable, "-m", "pytest", "-qs", "-p", "no:cacheprovider", directory]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=directory)
    told = [line for line in done.stdout.splitlines() if "took: " in line]
    if done.returncode or not told:
        raise Unmeasurable(f"pytest: {done.stdout[-500:]}{done.stderr[-500:]}")
    took = json.loads(told[-1].partition("took: ")[2])
    return {name: took[test][1:] for test, name in _NAMES.items()}
