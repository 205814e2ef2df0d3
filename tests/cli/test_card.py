# SPDX-License-Identifier: Apache-2.0
"""``vreader card``: cards in files, and everything wrong that can be typed about them."""

import contextlib
import json
import os
import stat
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pki
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from vreader import cardfile
from vreader.kinds import keeping_kinds

USAGE, ENVIRONMENT = 2, 3
EC = ec.derive_private_key(5, ec.SECP256R1())


@pytest.fixture
def files(here: Path) -> Path:
    """What people bring: keys, certificates, PFX files; and a card."""
    own = pki.certificate(EC)
    pki.write_key(here / "key.pem", EC)
    pki.write_key(here / "locked.pem", EC, "secret")
    pki.write_certificate(here / "cert.pem", own)
    pki.write_certificate(here / "other.pem", pki.certificate(pki.SIGNER))
    pki.write_certificate(here / "huge.pem", pki.certificate(EC, filler=3000))
    pki.write_certificate(here / "expired.pem", pki.certificate(EC, until=-pki.DAY))
    pki.write_pfx(here / "bob.p12", EC, own, "secret")
    pki.write_key(here / "p521.pem", ec.generate_private_key(ec.SECP521R1()))
    pki.write_key(here / "k1.pem", ec.generate_private_key(ec.SECP256K1()))
    pki.write_key(here / "ed.pem", ed25519.Ed25519PrivateKey.generate())
    pki.write_key(here / "odd.pem", rsa.generate_private_key(65537, 1032))
    (here / "junk").write_bytes(b"junk")
    (here / "bad.toml").write_text("kind = piv")
    (here / "key.toml").write_text('kind = "piv"\n[provision]\nslto = "9a:p256"\n')
    return here


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_new(cli, here):
    said = cli(
        "card", "new", "alice.card", "--profile", "piv", "--pin", "123456",
        "--subject", "CN=alice", "--slot", "9a:rsa2048", "--slot", "9d:p256",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    assert "slot 9a         RSA-2048, certificate CN=alice\n" in said.out
    assert "slot 9d         P-256, certificate CN=alice\n" in said.out
    assert stat.S_IMODE(Path("alice.card").stat().st_mode) == 0o600
    assert names(here) == {"card.py", "alice.card"}
    assert cli("card", "info", "alice.card").out == said.out


def test_info_as_json(cli, here):
    cli("card", "new", "a.card", "--profile=piv:neutral", "--seed", "01")
    told = json.loads(cli("card", "info", "a.card", "--json").out)
    assert told["profile"] == "neutral"
    assert told["ATR"] == "3B 80 80 01 01"
    assert told["applications"] == "A000000308000010000100"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--pfx", "bob.p12", "--password", "secret"], "9a         P-256, certificate CN=bob\n"),
        (["--pfx", "9C:bob.p12", "--password", "env:P"], "9c         P-256, certificate CN=bob\n"),
        (["--import-key", "82:key.pem"], "82         P-256, certificate CN=vreader\n"),
        (
            ["--import-key", "9e:locked.pem", "--import-cert", "9e:cert.pem", "--password=secret"],
            "slot 9e         P-256, certificate CN=bob\n",
        ),
        (
            ["--import-key", "key.pem", "--import-cert", "expired.pem"],
            "slot 9a         P-256, certificate CN=bob, expired ",
        ),
        (["--import-key", "key.pem", "--slot", "9c:p256"], "9c         P-256, certificate CN=vr"),
    ],
)
def test_import(cli, files, monkeypatch, words, told):
    monkeypatch.setenv("P", "secret")
    said = cli("card", "new", "a.card", *words)
    assert (said.code, said.err) == (0, "")
    assert told in said.out


def test_profile_file(cli, files):
    (files / "sub").mkdir()
    pki.write_pfx(files / "sub" / "bob.p12", EC, pki.certificate(EC), "secret")
    (files / "sub" / "bob.toml").write_text(
        'kind = "piv"\n[options]\npin = "654321"\n'
        '[provision]\npfx = "9c:bob.p12"\npassword = "secret"\n'
    )
    said = cli("card", "new", "a.card", "--profile", "sub/bob.toml")
    assert "slot 9c         P-256, certificate CN=bob" in said.out


def test_export_import_reset(cli, here):
    made = cli("card", "new", "a.card").out
    image = cli("card", "export", "a.card").out
    assert cli("card", "export", "a.card", "a.json").out == ""
    assert Path("a.json").read_text() == image
    assert stat.S_IMODE(Path("a.json").stat().st_mode) == 0o600
    assert cli("card", "import", "a.json", "b.card").out == made
    assert cli("card", "export", "b.card").out == image
    assert cli("card", "reset", "b.card").out == made
    Path("a.json").chmod(0o644)
    assert cli("card", "export", "a.card", "a.json", "--force").code == 0
    assert stat.S_IMODE(Path("a.json").stat().st_mode) == 0o600


def test_force(cli, here):
    before = cli("card", "new", "a.card").out
    said = cli("card", "new", "a.card", "--force")
    assert (said.code, said.err) == (0, "")
    assert said.out != before


def test_help_lists_the_options_of_the_kind(cli, here):
    said = cli("card", "new", "--profile", "piv", "--help")
    assert said.code == 0
    for option in ("--pin VALUE", "--slot VALUE", "--import-key VALUE", "--pnp VALUE"):
        assert f"\n  {option}" in said.out
    assert "--pin VALUE" not in cli("card", "new", "--profile", "blank", "--help").out
    assert "vreader card export FILE [OUT]" in cli("card", "--help").out


NEW = ("card", "new", "x.card")
WRONG = {
    "no action": (["card"], "required: ACTION, FILE", "card --help"),
    "action": (["card", "nwe", "x"], "invalid choice: 'nwe'", "card --help"),
    "no file": (["card", "new"], "required: FILE", "card new --help"),
    "two files": ([*NEW, "y.card"], "more than one FILE", "--profile piv --help"),
    "option": ([*NEW, "--sloot", "9a:p256"], "no such option: --sloot", "did you mean --slot?"),
    "secret": ([*NEW, "--pinn=999999"], "no such option: --pinn", "did you mean --pin?"),
    "no value": ([*NEW, "--pin"], "argument --pin: expected one argument", "new --help"),
    "no profile": ([*NEW, "--profile"], "'' is no card to make", "kind:profile"),
    "kind": ([*NEW, "--profile", "pvi"], "unknown card kind 'pvi'", "installed kinds"),
    "profile": ([*NEW, "--profile", "piv:1"], "has no profile '1'", "5.4.3"),
    "option's value": ([*NEW, "--pin", "1"], "6 to 8 characters", "123456"),
    "seed": ([*NEW, "--seed", "x"], "--seed: seed is not in hex", "01"),
    "empty seed": ([*NEW, "--seed", ""], "--seed: seed is not in hex", "01"),
    "option of another kind": (
        [*NEW, "--profile", "blank", "--pin", "1"],
        "no such option: --pin",
        "see 'vreader card new --profile blank --help'",
    ),
    "terminal": ([*NEW, "--pin", "-"], "--pin - asks at a terminal", "--pin VALUE"),
    "directory": (["card", "new", "."], "cannot be a card's file", "my.card"),
    "empty": (["card", "new", ""], "cannot be a card's file", "my.card"),
    "exists": (["card", "new", "junk"], "junk exists already", "--force"),
    "not a card": (["card", "new", "junk", "--force"], "junk is not a card file", "card new"),
    "toml": ([*NEW, "--profile", "bad.toml"], "line 1", "TOML"),
    "toml key": ([*NEW, "--profile", "key.toml"], "'slto' in [provision]", "slot?"),
    "no toml": ([*NEW, "--profile", "no.toml"], "no.toml: No such file", "TOML"),
    "slot": ([*NEW, "--slot", "9b:p256"], "'9b:p256' cannot be provisioned", "9a 9c 9d 9e 82-95"),
    "algorithm": ([*NEW, "--slot", "9a:rsa512"], "cannot be provisioned", "rsa1024 rsa2048"),
    "newer algorithm": (
        [*NEW, "--slot", "9a:rsa4096"],
        "a piv card 5.4.3 has no such keys",
        "use profile 5.7.1",
    ),
    "curve": ([*NEW, "--slot", "9a:p521"], "cannot be provisioned", "p256 p384"),
    "slot twice": ([*NEW, "--slot=9a:p256", "--slot=9A:p384"], "slot 9a is given twice", "another"),
    "slot twice 2": (
        [*NEW, "--slot=9a:p256", "--import-key=key.pem"],
        "slot 9a is given twice",
        "9c:",
    ),
    "cert twice": (
        [*NEW, "--import-key=key.pem", "--import-cert=cert.pem", "--import-cert=cert.pem"],
        "slot 9a is given twice",
        "9c:",
    ),
    "no key": (
        [*NEW, "--import-cert", "9c:cert.pem"],
        "slot 9c gets a certificate",
        "--import-key",
    ),
    "other key": (
        [*NEW, "--import-key", "key.pem", "--import-cert", "other.pem"],
        "slot 9a: key and certificate do not belong together",
        "this very key",
    ),
    "missing file": ([*NEW, "--pfx", "no.p12"], "cannot read 'no.p12': No such file", "may read"),
    "folder": ([*NEW, "--import-key", "."], "cannot read '.': Is a directory", "may read"),
    "no such slot": ([*NEW, "--pfx", "9b:bob.p12"], "pfx '9b:bob.p12' names no slot", "slots 9a"),
    "no pfx": ([*NEW, "--pfx", "junk"], "junk is not a PFX file", "PKCS #12"),
    "wrong password": (
        [*NEW, "--pfx", "bob.p12", "--password", "x"],
        "this password",
        "--password",
    ),
    "no password": ([*NEW, "--pfx", "bob.p12"], "without a password", "--password"),
    "locked key": ([*NEW, "--import-key", "locked.pem"], "is encrypted", "--password"),
    "wrong password 2": (
        [*NEW, "--import-key", "locked.pem", "--password", "x"],
        "with this password",
        "check the password",
    ),
    "password's variable": (
        [*NEW, "--pfx", "bob.p12", "--password", "env:NO_SUCH"],
        "no environment variable 'NO_SUCH'",
        "export NO_SUCH=",
    ),
    "huge": (
        [*NEW, "--import-key", "key.pem", "--import-cert", "huge.pem"],
        "and the card takes 3063",
        "fewer names",
    ),
    "P-521": ([*NEW, "--import-key", "p521.pem"], "EC on secp521r1", "rsa1024"),
    "K1": ([*NEW, "--import-key", "k1.pem"], "EC on secp256k1", "rsa1024"),
    "RSA-1032": ([*NEW, "--import-key", "odd.pem"], "RSA of 1032 bits", "rsa1024"),
    "Ed25519 of an old card": ([*NEW, "--import-key", "ed.pem"], "Ed25519", "rsa1024"),
    "subject": ([*NEW, "--subject", "alice"], "not a distinguished name", "CN=alice"),
    "subject twice": ([*NEW, "--subject=CN=a", "--subject=CN=b"], "subject is given 2", "once"),
    "days": ([*NEW, "--days", "0"], "days=0 is not a number of days", "1 to 36500"),
    "upn": ([*NEW, "--upn", "alice"], "not a user principal name", "alice@example.org"),
    "ca": ([*NEW, "--ca", "cert.pem"], "a CA needs", "--ca-key"),
    "no ca": ([*NEW, "--ca=cert.pem", "--ca-key=key.pem"], "is not that of a CA", "CA:TRUE"),
    "info of nothing": (["card", "info", "no.card"], "there is no card in no.card", "card new"),
    "info of junk": (["card", "info", "junk"], "junk is not a card file", "card new"),
    "info of no name": (["card", "info", ""], "the card's file has no name", "my.card"),
    "info of a device": (["card", "info", "/dev/null"], "/dev/null is not a card", "card new"),
    "info of a folder": (["card", "info", "."], ". is not a card file", "card new"),
    "export of junk": (["card", "export", "junk"], "junk is not a card file", "card new"),
    "reset of junk": (["card", "reset", "junk"], "junk is not a card file", "card new"),
    "import of nothing": (["card", "import", "no", "x.card"], "cannot read no", "card export"),
    "import onto junk": (["card", "import", "junk", "junk"], "junk exists already", "--force"),
}


@pytest.mark.parametrize(("words", "problem", "hint"), WRONG.values(), ids=WRONG)
def test_wrong(cli, files, words, problem, hint):
    before = names(files)
    said = cli(*words)
    assert (said.code, said.out) == (USAGE, ""), said.err
    first, second = said.err.splitlines()
    assert first.startswith("vreader: ")
    assert problem in first
    assert second.startswith("hint: ")
    assert hint in second
    assert "999999" not in said.err
    assert names(files) == before
    assert Path("junk").read_bytes() == b"junk"


def two_lines(said, problem):
    assert said.code == ENVIRONMENT
    first, second = said.err.splitlines()
    assert problem in first
    assert second.startswith("hint: ")


def test_help_is_for_people(cli, here):
    """No line is wider than a terminal; abbreviations stay as they are; profiles are told."""
    for words in (
        ["--help"],
        *([action, "--help"] for action in ("info", "export", "import", "reset")),
        *(["new", "--profile", kind.name, "--help"] for kind in keeping_kinds()),
    ):
        said = cli("card", *words)
        assert said.code == 0
        assert max(map(len, said.out.splitlines())) <= 80, words
    assert "JSON to OUT" in cli("card", "export", "--help").out
    assert "\n  piv:neutral  NIST" in cli("card", "new", "--help").out


def test_no_control_character_of_a_certificate_reaches_the_terminal(cli, here):
    pki.write_key(here / "k.pem", EC)
    pki.write_certificate(here / "c.pem", pki.certificate(EC, "CN=a\x1b[2Jb"))
    said = cli("card", "new", "a.card", "--import-key", "k.pem", "--import-cert", "c.pem")
    assert said.code == 0
    assert "CN=a\N{REPLACEMENT CHARACTER}[2Jb" in said.out
    assert "\x1b" not in said.out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
@pytest.mark.parametrize("words", [["info", "a.card"], ["export", "a.card"]])
def test_full_output(cli, command, here, words):
    cli("card", "new", "a.card", "--profile", "blank")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        said = command("card", *words, capture_output=False, stdout=full, stderr=PIPE)
    assert said.code == ENVIRONMENT
    assert said.err.splitlines()[0] == "vreader: cannot write the output: No space left on device"
    assert len(said.err.splitlines()) == 2


def test_no_image(cli, files):
    two_lines(cli("card", "import", "junk", "x.card"), "no image of a card")
    assert not Path("x.card").exists()


def test_export_to_what_exists(cli, files):
    cli("card", "new", "a.card")
    for words, code, problem in (
        (["junk"], USAGE, "junk exists already"),
        (["a.card", "--force"], USAGE, "a.card is the card itself"),
        (["no/where"], ENVIRONMENT, "cannot write no/where"),
    ):
        said = cli("card", "export", "a.card", *words)
        assert (said.code, len(said.err.splitlines())) == (code, 2)
        assert problem in said.err


def test_no_folder(cli, here):
    two_lines(cli("card", "new", "no/x.card"), "cannot use the state file no/x.card: No such")


def test_read_only_folder(command, here):
    (here / "closed").mkdir(mode=0o500)
    # Root may write everywhere, unless it gives its capabilities up.
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    said = command("card", "new", "closed/x.card", before=bare)
    two_lines(said, "closed/x.card: Permission denied")


HOLD = """
import sys
from vreader import cardfile
with cardfile.opened("a.card"):
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_card_in_use(cli, here):
    cli("card", "new", "a.card")
    with Popen([sys.executable, "-c", HOLD], stdin=PIPE, stdout=PIPE) as holder:
        holder.stdout.readline()
        for words in (
            ["info", "a.card"],
            ["export", "a.card"],
            ["reset", "a.card"],
            ["new", "a.card", "--force"],
        ):
            two_lines(cli("card", *words), f"a.card is in use by process {holder.pid}")
        holder.stdin.close()


def test_curve_25519(cli, here):
    pki.write_key(here / "x.pem", x25519.X25519PrivateKey.generate())
    said = cli(
        "card", "new", "a.card", "--profile", "piv:5.7.1",
        "--slot", "9a:ed25519", "--import-key", "9d:x.pem",
    )  # fmt: skip
    assert said.err == ""
    assert "slot 9a         Ed25519, certificate CN=vreader" in said.out
    assert "slot 9d         X25519, certificate CN=vreader" in said.out


@pytest.mark.parametrize(
    ("typed", "code"), [(b"314159\n", 0), (b"\x04", USAGE)], ids=["pin", "end"]
)
def test_a_secret_is_typed(vreader, here, typed, code):
    """Not shown on the terminal; the card has it."""
    terminal, ours = os.openpty()
    words = [*vreader, "card", "new", "a.card", "--profile", "piv:neutral", "--pin", "-"]
    with Popen(words, stdin=ours, stdout=PIPE, stderr=PIPE, start_new_session=True) as asking:
        # What is typed before the question does not count.
        assert asking.stderr.read(5) == b"pin: "
        os.write(terminal, typed)
        out, err = asking.communicate(timeout=60)
    os.close(ours)
    os.set_blocking(terminal, False)
    shown = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 100):
            shown += part
    os.close(terminal)
    assert asking.returncode == code
    assert b"314159" not in shown + out + err
    if code:
        assert err.splitlines()[-1].startswith(b"hint: ")
        return
    with cardfile.opened("a.card") as (_, card):
        card.power_on()
        card.transmit(bytes.fromhex("00A4040005A000000308"))
        assert card.transmit(b"\0\x20\0\x80\x08314159\xff\xff") == b"\x90\0"
