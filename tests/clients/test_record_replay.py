# SPDX-License-Identifier: Apache-2.0
"""Real programs are recorded with our PIV card; the recording plays the card, and plays them."""

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.clients


@pytest.fixture
def say(vreader, tmp_path):
    """Run the command line; return its exit code and output."""

    def run(*words, code=0):
        done = subprocess.run(
            [*vreader, *map(str, words)],
            capture_output=True, text=True, timeout=60, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("program", "other", "differs"),
    [
        ("opensc-tool", "piv,seed=02", "GET DATA CHUID"),
        ("yubico-piv-tool", "piv,seed=01,serial=12345678", "GET SERIAL"),
    ],
)
def test_a_program_is_recorded_and_replayed(say, need, program, other, differs):
    script = {
        "opensc-tool": [need("opensc-tool", "opensc"), "--serial"],
        "yubico-piv-tool": [
            need("yubico-piv-tool", "yubico-piv-tool"), "-r", "Virtual",
            "-a", "status", "-a", "verify-pin", "-P", "123456",
        ],
    }[program]  # fmt: skip
    recorded = say("record", "-o", "talk", "--card", "piv,seed=01", "--", *script)
    assert say("replay", "talk", "--", *script) == recorded
    pin = ["--pin", "123456"]
    assert "no difference" in say("replay", "talk", "--card", "piv,seed=01", *pin)
    told = say("replay", "talk", "--card", other, *pin, code=1)
    assert "^^" in told
    assert differs in told.partition("command:")[2].splitlines()[1]


def test_a_pkcs11_login_and_signatures(say, need, need_module, provisioned, tmp_path):
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")
    for name in ("one", "other"):
        shutil.copy(provisioned / "card", tmp_path / name)
    (tmp_path / "data").write_text("hello")
    script = [
        need("pkcs11-tool", "opensc"), "--module", module, "--login", "--pin", "123456", "--sign",
        "--input-file", "data", "--output-file", "signature", "--id",
    ]  # fmt: skip
    rsa = [*script, "01", "-m", "SHA256-RSA-PKCS"]
    say("record", "-o", "rsa", "--state", "one", "--", *rsa)
    signature = (tmp_path / "signature").read_bytes()
    (tmp_path / "signature").unlink()
    say("replay", "rsa", "--", *rsa)
    assert (tmp_path / "signature").read_bytes() == signature
    ecdh = ["-m", "ECDSA-SHA256"]
    say("record", "-o", "ec", "--state", "one", "--", *script, "04", *ecdh)
    for recording in ("rsa", "ec"):
        told = say("replay", recording, "--state", "other", "--pin", "123456")
        assert "no difference" in told
    told = say("replay", "ec", "--state", "other", "--pin", "123456", "--mask", "none", code=1)
    assert "GENERAL AUTHENTICATE 9E P-256" in told
    assert "SELECT" in say("show", "rsa")
