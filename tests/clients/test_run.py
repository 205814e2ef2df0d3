# SPDX-License-Identifier: Apache-2.0
"""The commands people are promised, as they type them: ``vreader run … -- program``."""

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.clients


@pytest.fixture
def run(vreader, need):
    def run(line: str, code: int = 0) -> str:
        options, _, command = line.partition(" -- ")
        program = command.split()[0]
        need(program, {"pkcs11-tool": "opensc", "opensc-tool": "opensc"}.get(program, program))
        words = [*vreader, "run", *options.split(), "--", "sh", "-c", command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done
        return done.stdout + done.stderr

    return run


def test_opensc_tool(run):
    assert run("--card piv -- opensc-tool -a").startswith("3b:fd:13:")


def test_yubico_piv_tool(run):
    assert "PIN tries left:\t3\n" in run("--card piv -- yubico-piv-tool -r 'Virtual' -a status")


def test_libykcs11(vreader, need, need_module):
    need_module("libykcs11.so", "ykcs11")
    words = [*vreader, "run", "--card", "piv", "--reader", "Yubico YubiKey CCID 00 00", "--"]
    words += [need("pkcs11-tool", "opensc"), "--module", "libykcs11.so", "-L"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "Slot 0 (0x0): Yubico YubiKey CCID 00 00\n  token label        : YubiKey PIV" in (
        done.stdout
    )


def test_opensc_pkcs11_on_both_stacks(run, stack):
    said = run(f"--stack {stack} --card piv -- pkcs11-tool --module opensc-pkcs11.so -L")
    assert "Slot 0 (0x0): Virtual Reader 00 00\n" in said


def test_a_card_lives_on_in_its_file(run, stack, tmp_path: Path):
    card = f"--stack {stack} --card piv,state={tmp_path / 'my.card'}"
    tool = "yubico-piv-tool -r Virtual"
    made = run(f"{card} -- {tool} -a generate -A ECCP256 -s 9a -o -")
    key = made[made.index("-----BEGIN") : made.index("-----END")]
    run(f"{card} -- {tool} -a verify-pin -P 000000", code=1)
    later = run(f"{card} -- {tool} -a attest -s 9a")
    assert "BEGIN CERTIFICATE" in later
    assert "PIN tries left:\t2\n" in run(f"{card} -- {tool} -a status")
    assert key
