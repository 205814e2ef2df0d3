# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver``: list and call, and what it says to nonsense."""

import json
import shutil
from pathlib import Path

import pytest

from vreader.cli.minidriver import _ACTIONS


@pytest.fixture(scope="module")
def dave(tmp_path_factory):
    """A GIDS card in a file, with one key."""
    from vreader.cardfile import write
    from vreader.recipe import Recipe

    path = tmp_path_factory.mktemp("card") / "dave.card"
    write(Recipe.parse("gids").with_options({}, {"slot": ["kx:rsa2048"]}, b"\1"), str(path))
    return path


@pytest.fixture
def card(dave, tmp_path):
    return f"gids,state={shutil.copy(dave, tmp_path)}"


def test_every_action_is_there(cli):
    for action in _ACTIONS:
        said = cli("minidriver", action, "--help")
        assert said.code == 0
        assert f"vreader minidriver {action}" in said.out


def test_list_what_can_be_named(cli):
    assert "msclmd.dll" in cli("minidriver", "list").out
    assert "msclmd.dll" in json.loads(cli("minidriver", "list", "--json").out)


def test_list_the_functions_for_a_card(cli):
    said = cli("minidriver", "list", "--card", "gids", "--json")
    found = json.loads(said.out)
    states = {one["function"]: one["state"] for one in found["functions"]}
    assert (said.code, found["version"], states["CardReadFile"]) == (0, 7, "there")
    text = cli("minidriver", "list", "--card", "gids").out
    assert text.count("\n") == 1 + len(states)


def test_call_and_tell(cli, card):
    said = cli("minidriver", "call", "CardReadFile", "mscp", "cmapfile", "--card", card)
    assert said.code == 0
    assert said.out.startswith("CardReadFile -> SCARD_S_SUCCESS (0x00000000)\n  0000  ")
    assert "valid and default, signature 0, exchange 2048 bits" in said.out


def test_call_with_the_pin(cli, card, monkeypatch):
    signing = ("CardSignData", "container=0,key_spec=1,data=0102,padding=pkcs1", "--card", card)
    said = cli("minidriver", "call", *signing)
    assert (said.code, "SCARD_W_SECURITY_VIOLATION" in said.out) == (1, True)
    monkeypatch.setenv("VREADER_TEST_PIN", "123456")
    said = cli("minidriver", "call", *signing, "--pin", "env:VREADER_TEST_PIN", "--json")
    found = json.loads(said.out)
    assert (said.code, len(found["bytes"])) == (0, 512)


def test_call_with_a_pin_that_is_typed_at_the_reader(cli):
    change = ("CardChangeAuthenticatorEx", "2", "1", "NULL", "1", "NULL", "0", "--card", "piv")
    said = cli("minidriver", "call", *change, "--pinpad", "123456,222222,222222")
    assert (said.code, "SCARD_S_SUCCESS" in said.out) == (0, True)
    said = cli("minidriver", "call", *change, "--pinpad", "123456", "--pinpad", "222222,cancel")
    assert (said.code, "SCARD_W_CANCELLED_BY_USER" in said.out) == (1, True)
    said = cli("minidriver", "call", *change, "--pinpad", "12x4")
    assert (said.code, "12x4" in said.err) == (2, False)
    assert "SCARD_E_INVALID_PARAMETER" in cli("minidriver", "call", *change).out


def test_a_failure_tells_the_tries_left(cli, card):
    said = cli("minidriver", "call", "CardAuthenticatePin", "user", "3132333437", "--card", card)
    assert said.code == 1
    assert said.out == (
        "CardAuthenticatePin -> SCARD_W_WRONG_CHV (0x8010006B)\n  attempts left: 2\n"
    )


def test_the_trace_hides_the_pin(cli, card):
    said = cli("minidriver", "call", "CardEnumFiles", "NULL", "0", "--card", card,
               "--pin", "123456", "--trace", "-")  # fmt: skip
    assert said.code == 0
    assert "CardAuthenticateEx(pin_id=1, flags=0x0, pin=**)" in said.err
    assert "31 32 33 34 35 36" not in said.err
    assert "cardid" in said.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("lst", "did you mean list?"),
        ("call CardReedFile --card gids", "did you mean CardReadFile?"),
        ("call CardReadFile --card gids", "CardReadFile also needs directory"),
        ("call CardQueryCapabilities", "which card?"),
        ("call CardQueryCapabilities --card none", "an empty reader"),
        ("call CardQueryCapabilities --card gids --live", "--live is a card by itself"),
        ("call CardQueryCapabilities --card gids --pin env:NO_SUCH_NAME_HERE", "no environment"),
        ("call CardQueryCapabilities --card gids --pin -", "asks at a terminal"),
        ("call CardQueryCapabilities --card gids --dll nothing", "is no minidriver"),
        ("call CardQueryCapabilities --card gids --dll no.py:Such", "there is no file"),
        ("call CardQueryCapabilities --card gids --dll no.dll", "cannot read no.dll"),
        ("list --dll msclmd.dll", "which card?"),
        ("list --card atr:3B00", "no minidriver is loaded"),
        ("register --dll no.dll --spec v5", "nobody calls DllRegisterServer"),
        ("register --dll no.dll --spec v9", "invalid choice"),
        ("register --dll no.dll --spec v4", "cannot read no.dll"),
    ],
)
def test_nonsense_is_told(cli, here, words, message):
    said = cli("minidriver", *words.split())
    assert said.code in (1, 2, 3)
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_vendors_minidriver_must_be_named(cli, card, here):
    cli("inf", "new", "--atr", "3B0451FF0800", "--name", "Fab", "--vendor", "Fab",
        "--module", "fab.dll", "-o", "fab.inf")  # fmt: skip
    said = cli("minidriver", "list", "--card", "atr:3B0451FF0800", "--inf", "fab.inf")
    assert said.code == 2
    assert "fab.dll" in said.err
    assert "--dll FILE" in said.err


def test_a_minidriver_that_does_not_take_the_card(cli):
    said = cli("minidriver", "list", "--card", "atr:3B0451FF0800", "--dll", "msclmd.dll")
    assert said.code == 1
    assert "no function was called: SCARD_E_UNKNOWN_CARD" in said.err


@pytest.mark.clients
def test_register_and_back(cli, here, need):
    need("wine", "wine64 wine")
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    from vreader.minidriver.dll.module import sample_dll

    register = ("minidriver", "register", "--dll", sample_dll(), "--spec", "v4", "--json")
    said = cli(*register, "--save-registry", "out.reg")
    found = json.loads(said.out)
    assert (said.code, found["ok"], found["missing"]) == (0, True, [])
    (added,) = found["added"]
    assert added["module"] == Path(sample_dll()).name
    assert added["CSP"] == "Microsoft Base Smart Card Crypto Provider"
    said = cli(*register, "--registry", "out.reg", "--undo")
    assert json.loads(said.out)["removed"] == [added["name"]]
