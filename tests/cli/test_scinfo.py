# SPDX-License-Identifier: Apache-2.0
"""``vreader scinfo``: what it prints, how it asks for the PIN, when it fails."""

import json
import shutil

import pytest
from pki import SIGNER, certificate, write_certificate, write_key

import vreader
from vreader.bridge.pcsclite.client import PcscClient
from vreader.winscard.codes import ShareMode

PIN = "739204"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A PIV card whose certificate a CA has issued, and the CA's certificate."""
    from vreader.cardfile import write
    from vreader.recipe import Recipe

    folder = tmp_path_factory.mktemp("card")
    ca = write_certificate(folder / "ca.pem", certificate(SIGNER, "CN=test-ca", ca=True))
    key = write_key(folder / "ca.key", SIGNER)
    provision = {
        "slot": ["9a:rsa2048"], "upn": ["alice@example.org"], "subject": ["CN=alice"],
        "ca": [str(ca)], "ca-key": [str(key)],
    }  # fmt: skip
    path = folder / "alice.card"
    write(Recipe.parse("piv").with_options({"pin": PIN}, provision, b"\1"), str(path))
    return path, ca


@pytest.fixture
def card(made, tmp_path):
    return f"piv,state={shutil.copy(made[0], tmp_path)}"


def test_everything_about_a_card(cli, card, made):
    said = cli("scinfo", "--card", card, "--pin", PIN, "--ca", str(made[1]))
    assert (said.code, said.err) == (0, "")
    for text in (
        "status      SCARD_STATE_PRESENT",
        "CSP         Microsoft Base Smart Card Crypto Provider",
        "sign through Microsoft Smart Card Key Storage Provider: works",
        "its public key is that of the key",
        "chain       CN=alice (card)",
        "CN=test-ca",
        r"propagated  to CurrentUser\My",
        "+ sign-in: it has a valid UPN, a UTF8String: alice@example.org",
        "verdict     nothing wrong; 1 of 1 private keys were seen to work",
    ):
        assert text in said.out
    assert PIN not in said.out


def test_json_and_short(cli, card):
    said = cli("scinfo", "--card", card, "--pin", PIN, "--json")
    (found,) = json.loads(said.out)
    assert found["ok"] is True
    (key,) = found["containers"][0]["keys"]
    assert key["certificate"]["upn"] == ["alice@example.org"]
    assert {test["result"] for test in key["tests"]} == {"works"}
    short = cli("scinfo", "--card", card, "--silent", "--short").out
    assert "sign-in:" not in short
    assert "would be offered for sign-in" in short


def test_policies_come_from_the_registry(cli, card, here):
    (here / "policy.reg").write_text(
        "Windows Registry Editor Version 5.00\n\n"
        r"[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\SmartCardCredentialProvider]"
        '\n"AllowTimeInvalidCertificates"=dword:00000001\n'
    )
    words = ("scinfo", "--card", card, "--silent", "--date", "2099-01-01")
    assert "would not be offered for sign-in: validity" in cli(*words).out
    assert "~ sign-in: it is valid" in cli(*words, "--registry", "policy.reg").out


def test_a_wrong_pin_is_tried_once(cli, card):
    said = cli("scinfo", "--card", card, "--pin", "111111")
    assert said.code == 0
    assert "the PIN is wrong; tries left: 2" in said.out
    said = cli("scinfo", "--card", card, "--pin", PIN, "--short")
    assert "1 of 1 private keys" in said.out


def test_without_a_terminal_nobody_is_asked(command, card):
    said = command("scinfo", "--card", card)
    assert said.code == 0
    assert "no private key was tested: no PIN was given" in said.out


def test_several_cards_and_one_without_a_minidriver(cli):
    said = cli("scinfo", "--card", "gids", "--card", "atr:3B0451FF0800", "--silent", "--json")
    assert said.code == 1
    assert [each["ok"] for each in json.loads(said.out)] == [True, False]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "which card?"),
        ("--card piv --date tomorrow", "'tomorrow' is no date"),
        ("--card piv --ca nothing.pem", "cannot read nothing.pem"),
        ("--card piv --ca card.py", "there is no certificate in card.py"),
        ("--card piv --card gids --trace t.txt", "--trace is for one card"),
        ("--card piv --dll card.py:Echo", "is not a minidriver"),
    ],
)
def test_nonsense_is_told(cli, here, words, message):
    said = cli("scinfo", *words.split())
    assert (said.code, said.out) == (2, "")
    assert message in said.err


def test_an_empty_reader(cli):
    said = cli("scinfo", "--card", "none", "--card", "gids", "--silent", "--json")
    empty, _ = json.loads(said.out)
    assert (said.code, empty["status"], empty["verdict"]) == (0, "SCARD_STATE_EMPTY", "no card")
    said = cli("scinfo", "--card", "none")
    assert said.code == 1
    assert "card        none" in said.out


@pytest.fixture
def live(monkeypatch):
    """A world with an empty reader and two cards, as its commands find it."""
    with vreader.world("none", "piv", "gids", readers=["Empty", "One", "Other"]) as found:
        found.insert_all()
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", found.environment["PCSCLITE_CSOCK_NAME"])
        yield found


def test_all_readers_of_a_world(cli, live):
    said = cli("scinfo", "--live", "--silent", "--json")
    assert said.code == 0, said.err
    assert [(one["reader"], one["status"], one["verdict"]) for one in json.loads(said.out)] == [
        ("Empty 00 00", "SCARD_STATE_EMPTY", "no card"),
        ("One 00 00", "SCARD_STATE_PRESENT", "no keys"),
        ("Other 00 00", "SCARD_STATE_PRESENT", "no keys"),
    ]
    assert cli("scinfo", "--live", "Empty", "--silent").code == 1
    for option in ("--pin=123456", "--trace=trace.txt"):
        said = cli("scinfo", "--live", option)
        assert (said.code, said.out) == (2, "")
        assert "several readers have one" in said.err


def test_a_card_that_somebody_uses_is_told_beside_the_others(cli, live):
    with PcscClient(live.environment["PCSCLITE_CSOCK_NAME"]) as other:
        other.establish()
        other.connect("One 00 00", ShareMode.SHARED, 3)
        said = cli("scinfo", "--live", "--silent", "--json")
        assert said.code == 1
        _, used, free = json.loads(said.out)
        assert "the card in 'One 00 00' cannot be had" in used["verdict"]
        assert free["ok"]
        assert "cannot be had" in cli("scinfo", "--live", "One", "--silent").err


@pytest.mark.clients
def test_a_card_in_a_real_pcscd(command, vreader, card, need):
    need("pcscd", "pcscd")
    said = command(
        "run", "--stack", "pcscd", "--card", card, "--", *vreader, "scinfo", "--live", "--pin",
        PIN, "--short",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "1 of 1 private keys were seen to work" in said.out


def test_a_live_card(command, vreader, card):
    said = command(
        "run", "--card", card, "--", *vreader, "scinfo", "--live", "--pin", PIN, "--short"
    )
    assert said.code == 0, said.err
    assert "1 of 1 private keys were seen to work" in said.out
