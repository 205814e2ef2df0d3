# SPDX-License-Identifier: Apache-2.0
"""Every wrong thing a person can type: one clear line, one hint, the right exit code."""

import io
import re
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from vreader.bridge.vpcd import installation
from vreader.cli.parser import say

USAGE, ENVIRONMENT, OURS = 2, 3, 125
RUN = ("run", "--card")

# (words, problem, hint); exit code 2, 125 for run.
TYPED = {
    # The command line itself.
    "no such command": (["nonsense"], "no such command: nonsense", "see 'vreader --help'"),
    "no such option": (["--nonsense"], "no such option: --nonsense", "see 'vreader --help'"),
    "option of run": (
        ["run", "--crad", "piv"],
        "unrecognized arguments: --crad",
        "did you mean --card? see 'vreader run --help'",
    ),
    "option of serve": (
        ["serve", "--redy-file=x"],
        "unrecognized arguments: --redy-file=x",
        "did you mean --ready-file? see 'vreader serve --help'",
    ),
    "one dash": (
        ["cards", "-json"],
        "unrecognized arguments: -json",
        "did you mean --json? see 'vreader cards --help'",
    ),
    "no option like it": (["cards", "--x"], "unrecognized arguments: --x", "see 'vreader cards "),
    "letters": (["cards", "-x"], "unrecognized arguments: -x", "see 'vreader cards --help'"),
    "option of vreader": (
        ["--verison"],
        "no such option: --verison",
        "did you mean --version? see 'vreader --help'",
    ),
    "option of an action": (
        ["registry", "show", "x.reg", "--dept", "2"],
        "unrecognized arguments: --dept",
        "did you mean --depth? see 'vreader registry show --help'",
    ),
    "choice": (
        ["run", "--stack", "pcsc", "true"],
        "argument --stack: invalid choice: 'pcsc'",
        "did you mean pcscd? see 'vreader run --help'",
    ),
    "operation of ctl": (
        ["ctl", "isnert"],
        "OPERATION: invalid choice: 'isnert'",
        "did you mean insert? see 'vreader ctl --help'",
    ),
    "check of doctor": (
        ["doctor", "prot"],
        "there is no check 'prot'",
        "did you mean port? checks: python, cards",
    ),
    "option without value": (
        ["run", "--card"],
        "argument --card: expected one argument",
        "vreader run --help",
    ),
    "option without value 2": (
        ["serve", "--vpcd"],
        "argument --vpcd: expected one argument",
        "vreader serve ",
    ),
    "stack": (["run", "--stack", "x", "true"], "argument --stack: invalid choice: 'x'", "run --h"),
    "arguments of serve": (["serve", "x"], "unrecognized arguments: x", "serve --help"),
    "arguments of cards": (["cards", "x"], "unrecognized arguments: x", "cards --help"),
    "command of ctl": (["ctl", "x"], "OPERATION: invalid choice: 'x'", "see 'vreader ctl"),
    "arguments of ctl": (["ctl", "insert", "0", "x"], "unrecognized arguments: x", "ctl --help"),
    "option of ctl": (["ctl", "list", "--x"], "unrecognized arguments: --x", "vreader ctl --help"),
    "no APDU": (
        ["apdu"],
        "the following arguments are required: APDU",
        "see 'vreader apdu --help'",
    ),
    # --card
    "nothing": ([*RUN, "", "true"], "card '' names no kind", "kind[:profile][,key=value…]"),
    "comma": ([*RUN, ",", "true"], "option 1 of card '' is not key=value", "kind[:profile]"),
    "unknown kind": (
        [*RUN, "pvi", "true"],
        "unknown card kind 'pvi'",
        "did you mean piv? installed",
    ),
    "capitals": ([*RUN, "PIV", "true"], "unknown card kind 'PIV'", "did you mean piv? installed"),
    "dash": ([*RUN, "-x", "true"], "argument --card: expected one argument", "run --help"),
    "control character": ([*RUN, "piv\n", "true"], "printable characters", "kind[:profile]"),
    "unknown profile": (
        [*RUN, "piv:4.2", "true"],
        "piv has no profile '4.2'",
        "5.4.3, 5.7.1, neutral",
    ),
    "no profile": ([*RUN, "piv:", "true"], "'piv:' names no profile", "see 'vreader cards'"),
    "unknown key": ([*RUN, "piv,color=red", "true"], "piv has no option 'color'", "pin, puk, mgmk"),
    "no value": ([*RUN, "piv,pin", "true"], "option 1 of card 'piv' is not key=value", "kind[:pr"),
    "no key": ([*RUN, "piv,=1", "true"], "option 1 of card 'piv' is not key=value", "kind[:pr"),
    "comma in value": ([*RUN, "piv,pin=12,3456", "true"], "option 2 of card 'piv'", "kind[:prof"),
    "key twice": ([*RUN, "piv,pin=123456,pin=123456", "true"], "'piv' has pin twice", "leave one"),
    "short PIN": ([*RUN, "piv,pin=1", "true"], "has 6 to 8 characters, not 1", "pin=123456"),
    "long PUK": ([*RUN, "piv,puk=123456789", "true"], "6 to 8 characters, not 9", "puk=123456"),
    "mgmkey": ([*RUN, "piv,mgmkey=zz", "true"], "mgmkey must be 24 bytes in hex", "48 hex digits"),
    "weak mgmkey": ([*RUN, f"piv,mgmkey={'01' * 24}", "true"], "weak DES key", "another one"),
    "serial": ([*RUN, "piv,serial=0", "true"], "serial=0 is not a serial number", "1 to 21474836"),
    "serial word": ([*RUN, "piv,serial=x", "true"], "serial=x is not a serial number", "1 to 214"),
    "guid": ([*RUN, "piv,guid=00", "true"], "guid must be 16 bytes in hex", "32 hex digits"),
    "seed": ([*RUN, "piv,seed=zz", "true"], "'zz' is not a hexadecimal seed", "as 3B80800101"),
    "seed empty": ([*RUN, "piv,seed=", "true"], "'' is not a hexadecimal seed", "as 3B80800101"),
    "state": ([*RUN, "piv,state=", "true"], "state= of card 'piv' names no file", "state=my.card"),
    "none": ([*RUN, "none,x=1", "true"], "card 'none' takes no such options", "kind[:profile]"),
    "none 2": ([*RUN, "none:x", "true"], "an empty reader has no profile", "write none"),
    "atr": ([*RUN, "atr:", "true"], "'' is not a hexadecimal ATR", "write bytes as 3B80800101"),
    "atr letters": ([*RUN, "atr:3Z", "true"], "'3Z' is not a hexadecimal ATR", "as 3B80800101"),
    "atr digit": ([*RUN, "atr:3B8", "true"], "'3B8' is not a hexadecimal ATR", "as 3B80800101"),
    "atr length": ([*RUN, "atr:" + "3B" * 34, "true"], "an ATR has at most 33 bytes", "leave some"),
    "atr options": ([*RUN, "atr:3B00,x=1", "true"], "'atr:3B00' takes no such options", "kind["),
    "no file": ([*RUN, "gone.py:Card", "true"], "there is no file gone.py", "path/to/file.py:Cla"),
    "directory": ([*RUN, "folder.py:Card", "true"], "there is no file folder.py", "path/to/file.p"),
    "no class": ([*RUN, "card.py", "true"], "'card.py' names no class", "write card.py:Class"),
    "not its class": ([*RUN, "card.py:Eco", "true"], "card.py has no class Eco", "the spelling"),
    "not a card": ([*RUN, "card.py:NotACard", "true"], "is not a card", "it needs power_on, reset"),
    "wrong argument": ([*RUN, "card.py:Echo,x=1", "true"], "cannot be made: ", "keyword arguments"),
    "class that fails": ([*RUN, "card.py:Broken", "true"], "cannot be made: it broke", "keyword"),
    "file that fails": ([*RUN, "broken.py:C", "true"], "loaded: ZeroDivisionError: ", "run python"),
    "not Python": ([*RUN, "syntax.py:C", "true"], "cannot be loaded: SyntaxError: ", "run python"),
    "file with state": ([*RUN, "card.py:Echo,state=x", "true"], "takes no such options", "kind["),
    # --reader
    "reader": (["run", "--reader", "", "true"], "' 00 00' is empty or not printable", "Virtual Re"),
    "reader newline": (["run", "--reader", "a\nb", "true"], "is empty or not printable", "Virtual"),
    "reader long": (["run", "--reader", "x" * 50, "true"], "is too long", "at most 32 bytes each"),
    "reader number": (["run", "--reader", "A 00 01", "true"], "'A 00 01' on every stack", "00 00"),
    "more readers": (
        ["run", "--reader", "A", "--reader", "B", "true"],
        "2 reader names for 1 card",
        "a card for each reader",
    ),
    "reader twice": (
        ["run", *["--card", "none", "--reader", "A"] * 2, "true"],
        "two readers are called 'A 00 00'",
        "its own name",
    ),
    # --state
    "state option": (["run", "--state", "", "true"], "--state names no file", "--state my.card"),
    "comma in state": (["run", "--state", "a,b", "true"], "a file with a comma", "rename it"),
    "two states": (
        ["run", "--state", "a", *RUN[1:], "piv,state=b", "true"],
        "both name a file",
        "o",
    ),
    "state of none": (
        ["run", "--state", "a", *RUN[1:], "none", "true"],
        "keeps no state file",
        "k",
    ),
    "state of two": (
        ["run", "--state", "a", "--card", "piv", "--card", "piv", "true"],
        "--state serves one card",
        "state=FILE inside each --card",
    ),
    "other profile": (
        [*RUN, "piv:neutral,state=my.card", "true"],
        "of profile 5.4.3, not",
        "use -",
    ),
    # --link
    "link": (["run", "--link", "t2", "true"], "unknown link 't2'", "links: t0, t1"),
    "link option": (["run", "--link", "t1,x", "true"], "unknown link option 'x'", "spoil=N"),
    "link number": (["run", "--link", "t1,wtx=0", "true"], "a number from 1 to 255", "spoil=N"),
    # --pinpad
    "pinpad": (["run", "--pinpad", "", "true"], "an entry of the pinpad is empty", "digits, canc"),
    "pinpad letters": (["run", "--pinpad", "12a4", "true"], "has digits alone", "cancel or timeo"),
    "pinpad and pcscd": (
        ["run", "--pinpad", "1234", "--stack", "pcscd", "true"],
        "a pinpad goes with the embedded stack",
        "leave out",
    ),
    "pinpad and vpcd": (
        ["serve", "--pinpad", "1234", "--vpcd", "a:1"],
        "a pinpad goes with the embedded stack",
        "leave out",
    ),
    # --trace
    "trace": (["run", "--trace", "", "true"], "a trace needs a file", "- for standard error"),
    "trace pcap": (["run", "--trace", "a.pcap", "true"], "as pcapng alone", "a.pcapng"),
    "trace and state": (
        ["run", "--state", "my.card", "--trace", "./my.card", "true"],
        "./my.card is the card's own file",
        "another one",
    ),
    "unmask": (["run", "--unmask", "true"], "--unmask goes with --trace", "--trace - --unmask"),
    # serve
    "vpcd": (["serve", "--vpcd", ""], "'' is not the address of a vpcd driver", "HOST:PORT"),
    "vpcd port": (["serve", "--vpcd", "a:b"], "'a:b' is not the address of a", "HOST:PORT"),
    "vpcd number": (["serve", "--vpcd", "a:65536"], "'a:65536' is not the address", "HOST:PORT"),
    "vpcd last port": (
        ["serve", "--vpcd", "localhost:65535", "--card", "none", "--card", "none"],
        "2 cards need as many ports from 65535 on",
        "a lower port",
    ),
    "vpcd and pcscd": (
        ["serve", "--vpcd", "a:1", "--stack", "pcscd"],
        "exclude each",
        "one of them",
    ),
    "socket and pcscd": (
        ["serve", "--socket", "s", "--stack", "pcscd"],
        "with the embedded",
        "leav",
    ),
    "socket and vpcd": (
        ["serve", "--socket", "s", "--vpcd", "a:1"],
        "with the embedded",
        "leave out",
    ),
    "socket": (["serve", "--socket", ""], "--socket names no file", "--socket /tmp/pcscd.comm"),
    "ready file of another": (
        ["serve", "--card", "none", "--ready-file", "card.py"],
        "card.py exists and is not a ready file",
        "another file",
    ),
    "ready file": (["serve", "--ready-file", ""], "--ready-file names no file", "env.sh"),
    # apdu
    "APDU empty": (["apdu", ""], "'' is not an APDU", "[CLA]INS[P1P2][:DATA][/LE][=[SW]]"),
    "APDU letters": (["apdu", "0A40"[:3]], "'0A4' is not an APDU", "for example 00A40400"),
    "APDU odd data": (["apdu", "00A40400:0"], "'00A40400:0' is not an APDU", "for example"),
    "APDU Le": (["apdu", "00A40400/000"], "'00A40400/000' is not an APDU", "for example"),
    "APDU SW": (["apdu", "00A40400=90"], "'00A40400=90' is not an APDU", "for example"),
    "APDU second": (["apdu", "00A40400", "x"], "'x' is not an APDU", "for example"),
    "APDU long": (["apdu", "00D60000:" + "00" * 65536], "at most 65535 bytes of data", "in parts"),
}

# (words, problem, hint); exit code 3, 125 for run.
FOUND = {
    "state nowhere": (
        [*RUN, "piv,state=gone/card", "true"],
        "gone/card: No such file",
        "directory",
    ),
    "state directory": (
        [*RUN, "piv,state=folder.py", "true"],
        "cannot use the state file",
        "check",
    ),
    "state read only": (
        [*RUN, "piv,state=/proc/card", "true"],
        "cannot use the state file",
        "check",
    ),
    "not a state": (
        [*RUN, "piv,state=card.py", "true"],
        "card.py is not a card state file",
        "name",
    ),
    "other database": (
        [*RUN, "piv,state=other.db", "true"],
        "is not a card state file",
        "untouched",
    ),
    "newer state": (
        [*RUN, "piv,state=newer.card", "true"],
        "written by a newer vreader",
        "upgrade",
    ),
    "trace nowhere": (
        ["run", "--trace", "gone/t", "true"],
        "write the trace to gone/t: No s",
        "name",
    ),
    "trace directory": (
        ["run", "--trace", ".", "true"],
        "the trace to .: Is a directory",
        "name a",
    ),
    "socket nowhere": (["serve", "--socket", "gone/s"], "gone/s: No such file", "that exists"),
    "socket file": (["serve", "--socket", "card.py"], "exists and is not a socket", "another path"),
    "socket directory": (["serve", "--socket", "."], "exists and is not a socket", "another path"),
    "socket long": (["serve", "--socket", "x" * 110], "is longer than 107 bytes", "directory"),
    "socket live": (
        ["serve", "--socket", "live.comm"],
        "in use by another server",
        "stop that one",
    ),
    "ready nowhere": (
        ["serve", "--ready-file", "gone/f"],
        "write gone/f: No such file",
        "of your o",
    ),
    "ready directory": (
        ["serve", "--ready-file", "folder.py"],
        "folder.py: Is a dir",
        "of your own",
    ),
    "no world": (["ctl", "list"], "no running world is known here", "use it inside 'vreader run'"),
    "no world 2": (
        ["ctl", "--control", "gone", "list"],
        "no world answers at gone: No s",
        "serve'",
    ),
    "world dead": (["ctl", "--control", "dead.comm", "list"], "no world answers at dead", "serve'"),
    "world file": (
        ["ctl", "--control", "card.py", "list"],
        "no world answers at card.py",
        "serve'",
    ),
}

# run says these itself; (words, code, problem, hint)
CHILD = {
    "not found": (["run", "--card", "none", "gone"], 127, "gone: command not found", "install it"),
    "empty": (["run", "--card", "none", "--", ""], 127, "'': command not found", "install it"),
    "no path": (["run", "--card", "none", "./gone"], 127, "./gone: command not found", "install"),
    "not executable": (
        ["run", "--card", "none", "./card.py"],
        126,
        "Permission denied",
        "executabl",
    ),
    "directory": (["run", "--card", "none", "./folder.py"], 126, "Permission denied", "executable"),
    "format": (["run", "--card", "none", "./noformat"], 126, "Exec format error", "this machine"),
    "interpreter": (
        ["run", "--card", "none", "./nointer"],
        126,
        "its interpreter is not",
        "first l",
    ),
}


@pytest.fixture
def place(here: Path):
    """A directory with everything in it that can be wrong."""
    (here / "folder.py").mkdir()
    (here / "broken.py").write_text("1 / 0\n")
    (here / "syntax.py").write_text("class :\n")
    for name, text in {"noformat": "echo", "nointer": "#!/no/such/interpreter\n"}.items():
        (here / name).write_text(text)
        (here / name).chmod(0o755)
    with sqlite3.connect(here / "other.db") as database:
        database.execute("CREATE TABLE t (x)")
    database.close()
    with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as dead:
        live.bind("live.comm")
        live.listen()
        dead.bind("dead.comm")
        dead.close()
        yield here


def check(said, code: int, problem: str, hint: str) -> None:
    assert said.out == ""
    assert said.code == code, said
    lines = said.err.splitlines()
    assert len(lines) == 2, said.err
    assert lines[0].startswith("vreader: ")
    assert problem in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


@pytest.mark.parametrize(("words", "problem", "hint"), TYPED.values(), ids=TYPED)
def test_what_is_typed_wrong(cli, place, request, words, problem, hint):
    if "my.card" in " ".join(words):
        assert cli("run", "--state", "my.card", "--", "true").code == 0
    check(cli(*words), OURS if words[0] == "run" else USAGE, problem, hint)


@pytest.mark.parametrize(("words", "problem", "hint"), FOUND.values(), ids=FOUND)
def test_what_is_found_wrong(cli, place, words, problem, hint):
    if "newer.card" in " ".join(words):
        assert cli("run", "--state", "newer.card", "--", "true").code == 0
        with sqlite3.connect("newer.card") as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    check(cli(*words), OURS if words[0] == "run" else ENVIRONMENT, problem, hint)


@pytest.mark.parametrize(("words", "code", "problem", "hint"), CHILD.values(), ids=CHILD)
def test_commands_that_do_not_start(cli, place, words, code, problem, hint):
    check(cli(*words), code, problem, hint)


def test_no_secret_is_repeated(cli):
    secret = "73194628"
    for card in (
        f"piv,pin={secret},x",
        f"piv,pin={secret},pin=1",
        f"piv,{secret}",
        f"piv,pin={secret}1",
    ):
        assert secret not in cli("run", "--card", card, "true").err
    assert secret not in cli("run", "--card", f"piv,mgmkey={secret}", "true").err


# What a machine lacks ---------------------------------------------------------------------------


def test_no_pcscd(cli, monkeypatch, here):
    monkeypatch.setattr(installation, "_SBIN", "")
    monkeypatch.setenv("PATH", str(here))
    said = cli("run", "--stack", "pcscd", "--", "true")
    check(said, OURS, "pcscd is not installed", "apt install pcscd vsmartcard-vpcd")


def test_no_driver(cli, monkeypatch, here):
    fake = here / "pcscd"
    fake.write_text(f"#!/bin/sh\necho 'pcsc-lite 2.0 libsystemd usbdropdir={here}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.setattr(installation, "_DROP_DIRECTORIES", ())
    said = cli("run", "--stack", "pcscd", "--", "true")
    check(said, OURS, "the vpcd driver for pcscd (libifdvpcd.so) is not installed", "apt install")


def test_a_pcscd_that_cannot_be_used(cli, monkeypatch, here):
    fake = here / "pcscd"
    fake.write_text("#!/bin/sh\necho 'pcsc-lite version 1.9.9, without anything.'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(here))
    said = cli("run", "--stack", "pcscd", "--", "true")
    check(said, OURS, "was built without socket activation (libsystemd)", "apt install pcscd")


@pytest.mark.pcscd
def test_too_many_readers_for_pcscd(cli, need):
    need("pcscd", "pcscd")
    said = cli("run", "--stack", "pcscd", *["--card", "none"] * 9, "true")
    check(said, OURS, "9 names are too many", "--stack embedded")


def test_too_many_readers_for_libpcsclite(cli, need, monkeypatch):
    monkeypatch.setenv("VREADER_READER_SLOTS", "16")
    said = cli("run", *["--card", "none"] * 17, "true")
    if said.code:  # a library of 4.6 takes any number
        check(said, OURS, "shows programs 16 readers, not 17", "fewer cards")


def test_reader_slots_that_are_none(cli, monkeypatch):
    monkeypatch.setenv("VREADER_READER_SLOTS", "many")
    said = cli("run", *["--card", "none"] * 17, "true")
    check(said, OURS, "VREADER_READER_SLOTS must be a number", "unset it")


def test_no_directory_for_anything(cli, monkeypatch):
    monkeypatch.setattr("vreader.privatedir.parent_directory", lambda: "/proc")
    said = cli("run", "--card", "none", "true")
    check(said, OURS, "cannot make a directory in /proc: ", "set TMPDIR")


def test_no_pcsc_server(cli, monkeypatch, here):
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", str(here / "gone"))
    said = cli("apdu", "00A40400")
    check(said, ENVIRONMENT, f"cannot reach a PC/SC server at {here}/gone", "vreader serve")


def test_no_card_and_no_such_reader(cli, serve, monkeypatch):
    served = serve("--card", "none", "--reader", "Mine")
    monkeypatch.setenv("PCSCLITE_CSOCK_NAME", served.environment["PCSCLITE_CSOCK_NAME"])
    said = cli("apdu", "00A40400")
    check(said, ENVIRONMENT, "no reader holds a card", "readers: 'Mine 00 00'")
    said = cli("apdu", "--reader", "Yours", "00A40400")
    check(said, ENVIRONMENT, "no reader is called 'Yours'", "readers: 'Mine 00 00'")


def test_no_command_at_all_shows_what_there_is(cli):
    said = cli()
    assert said.code == USAGE
    assert said.err.startswith("usage: vreader COMMAND")


def test_a_bug_of_ours_is_said_to_be_one(cli, monkeypatch):
    def fail(*_args, **_options) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("vreader.cli.options.World", fail)
    said = cli("run", "true")
    assert said.code == OURS
    assert said.err.endswith(
        "RuntimeError: unforeseen\nvreader: this is a bug of vreader\n"
        "hint: please report it with the above\n"
    )
    assert cli("serve").code == 4


# Help -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [[], ["run"], ["serve"], ["apdu"], ["cards"], ["ctl"]]
    + [["ctl", name] for name in ("list", "insert", "remove", "reset", "trace", "quit")],
    ids=" ".join,
)
def test_help(cli, words):
    for option in ("--help", "-h"):
        said = cli(*words, option)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith(f"usage: vreader {' '.join(words[:1])}".rstrip())
        assert "\b" not in said.out
        # Examples have lines of their own.
        assert not re.search(r"\.so -L vreader|& vreader|63CX vreader", said.out)
        assert all(len(line) <= 80 for line in said.out.splitlines())


def test_version(cli):
    assert re.fullmatch(r"vreader \d+\.\d+\.\d+\n", cli("--version").out)


def test_what_a_terminal_cannot_write_is_escaped(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    say("Länder \ud800")
    assert terminal.buffer.getvalue() == b"L\\xe4nder \\ud800\n"
