# SPDX-License-Identifier: Apache-2.0
"""Programs that leave the PIN to the reader: OpenSC's tools on a pinpad, given no PIN."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

pytestmark = pytest.mark.clients

LIST = ["--login", "--list-objects", "--type", "privkey"]


@pytest.fixture
def run(vreader, need):
    """Run a program of OpenSC with what is typed on the pinpad; return what it said."""

    def run(pinpad: str, *command, card: Path, code: int = 0, options=()) -> str:
        need(str(command[0]), "opensc")
        words = [*vreader, "run", "--card", f"piv,state={card}", "--pinpad", pinpad, *options]
        words += ["--", *map(str, command)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done
        return done.stdout + done.stderr

    return run


@pytest.fixture
def pkcs11(run, need_module, keys):
    """The same for pkcs11-tool on the card with keys."""
    module = need_module("opensc-pkcs11.so", "opensc-pkcs11")

    def pkcs11(pinpad: str, *arguments, code: int = 0, options=()) -> str:
        command = ("pkcs11-tool", "--module", module, *arguments)
        return run(pinpad, *command, card=keys / "card", code=code, options=options)

    return pkcs11


def test_the_pinpad_is_seen(run, pkcs11, keys):
    assert "Yes   PIN pad   Virtual Reader 00 00" in run(
        "123456", "opensc-tool", "--list-readers", card=keys / "card"
    )
    assert "PIN pad present" in pkcs11("123456", "--list-slots")


@pytest.mark.wdk("pinpad.verify-pin-direct", "pinpad.feature-request", "pinpad.tlv-properties")
def test_login_without_a_pin(pkcs11, tmp_path):
    trace = tmp_path / "trace"
    listed = pkcs11("123456", *LIST, options=("--trace", trace))
    assert listed.count("Private Key Object") == 4
    told = trace.read_text()
    assert "> 00 20 00 80 08 ** ** ** ** ** ** ** **   VERIFY PIV PIN" in told
    assert "pinpad: PIN typed" in told
    assert "123456" not in told
    assert "31 32 33" not in told


def test_signatures(pkcs11, public_key, tmp_path):
    """The second key wants the PIN for each signature, which is typed once more."""
    data, signature = tmp_path / "data", tmp_path / "signature"
    data.write_bytes(b"sign me")
    for number, slot in (("01", "9a"), ("02", "9c")):
        pkcs11(
            "123456",
            *("--login", "--sign", "--id", number, "-m", "SHA256-RSA-PKCS"),
            *("-i", data, "-o", signature),
        )
        public_key(slot).verify(
            signature.read_bytes(), b"sign me", padding.PKCS1v15(), hashes.SHA256()
        )


def test_the_whole_test_of_pkcs11_tool(pkcs11):
    assert "No errors" in pkcs11("123456", "--login", "--test")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("000000", "CKR_PIN_INCORRECT"),
        ("12", "CKR_PIN_LEN_RANGE"),
        ("cancel", "CKR_FUNCTION_CANCELED"),
        ("timeout", "CKR_FUNCTION_CANCELED"),
    ],
)
def test_logins_that_fail(pkcs11, typed, error):
    assert error in pkcs11(typed, *LIST, code=1)


def test_wrong_first_right_afterwards(run, keys, need_module):
    tool = f"pkcs11-tool --module {need_module('opensc-pkcs11.so', 'opensc-pkcs11')}"
    said = run(
        "999999,123456",
        *("sh", "-c", f"{tool} {' '.join(LIST)}; {tool} {' '.join(LIST)}"),
        card=keys / "card",
    )
    assert "CKR_PIN_INCORRECT" in said
    assert said.count("Private Key Object") == 4


@pytest.mark.wdk("pinpad.modify-pin-direct")
def test_a_new_pin_with_the_puk(run, pkcs11, keys):
    """MODIFY_PIN_DIRECT: OpenSC's PIV driver changes a PIN by pinpad in this way alone."""
    unblock = ("pkcs15-tool", "--unblock-pin", "--auth-id", "01", "--use-pinpad")
    card = keys / "card"
    said = run("12345678,271828,271829", *unblock, card=card, code=2)
    assert "The two PINs did not match" in said
    pkcs11("271828", *LIST, code=1)
    run("12345678,271828,271828", *unblock, card=card)
    assert "Private Key Object" in pkcs11("271828", *LIST)
    assert "CKR_PIN_INCORRECT" in pkcs11("123456", *LIST, code=1)


def test_opensc_refuses_to_change_a_piv_pin_by_pinpad(pkcs11):
    """Not ours: its PIV driver wants to see six digits itself, and never asks the reader."""
    said = pkcs11("123456,271828,271828", "--login", "--change-pin", code=1)
    assert "C_SetPIN failed: rv = CKR_PIN_LEN_RANGE" in said


def test_programs_that_bring_their_own_pin(run, keys):
    said = run(
        "cancel",
        *("yubico-piv-tool", "-r", "Virtual", "-a", "verify-pin", "-P", "123456"),
        card=keys / "card",
    )
    assert "Successfully verified PIN" in said
