# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver certify``: put a minidriver through the certification checks."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from pathlib import Path

from vreader.cli.machine import told_pin
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError

CHECK_FAILED = 1


def configure(parser: Parser) -> None:
    """Describe the operation."""
    parser.describe("""
    Look at a minidriver as Microsoft's card minidriver test (cmck) does: each
    documented rule is a check, on a simulated Windows with a fresh copy of the
    card. A check says what a minidriver must do, which page says so, and where it
    does not apply why. It ends with exit code 1 when a check fails.

    What has to be known of the card, its PINs above all, is in a file of the
    format of cmck_config.xml; 'certify init' prints one to start from.

      vreader minidriver certify --card gids
      vreader minidriver certify --card my.toml --dll mine.py:MyModule --only E,G
      vreader minidriver certify --card my.toml --dll mine.dll --junit report.xml
      vreader minidriver certify --card my.toml --dll mine.dll --pinned mine.results
      vreader minidriver certify init > cmck_config.xml
      vreader minidriver certify --card gids --config cmck_config.xml
      vreader minidriver certify --card tpmvsc --pin 12345678
    """)
    parser.usage = "vreader minidriver certify [init] [--OPTION]..."
    add = parser.add_argument
    add("op", nargs="?", choices=("init",), metavar="init", help="print a configuration")
    add("--card", metavar="SPEC", help="the card, as for 'vreader run'; it is copied")
    add("--dll", metavar="FILE", default="msclmd.dll",
        help="the minidriver: msclmd.dll, file.py:Class, or a DLL [msclmd.dll]")  # fmt: skip
    add("--config", metavar="FILE", help="a cmck_config.xml [PIN 123456, everything supported]")
    add("--pin", metavar="PIN",
        help="the user's PIN, env:NAME, or - to be asked now; what is typed in the command, 'ps' "
        "shows to all [that of --config]")  # fmt: skip
    add("--only", metavar="LIST", help="parts (E) or checks (E.cardid), with commas between")
    add("--json", action="store_true", help="print JSON")
    add("--junit", metavar="FILE", help="also write a JUnit report")
    add("--pinned", metavar="FILE",
        help="compare with the results in FILE, which the first run writes; what changed is a "
        "diff, and the exit code is 1 for a change, not for a failure that is known")  # fmt: skip


def run(options: Namespace) -> int:
    """Run the checks, tell the results."""
    from vreader.minidriver.abi.pins import Role
    from vreader.minidriver.certify import Settings, Subject, certify, cmck, pinned, report, select
    from vreader.minidriver.certify.bench import REFUSED
    from vreader.minidriver.certify.freshcards import fresh_cards
    from vreader.minidriver.certify.run import try_loading
    from vreader.minidriver.load import load_module

    settings = Settings() if options.config is None else cmck.load(options.config)
    if options.pin is not None:
        pin = told_pin(options.pin).encode()
        settings = settings._replace(pins={**settings.pins, Role.USER: pin})
    if options.op == "init":
        say(cmck.dump(settings).rstrip("\n"))
        return 0
    if options.card is None:
        raise UsageError("which card?", hint="give --card SPEC, for example --card gids")
    only = [] if options.only is None else [name.strip() for name in options.only.split(",")]
    select(only)
    subject = Subject(
        options.dll, lambda api: load_module(options.dll, api), fresh_cards(options.card)
    )
    if options.junit is not None:
        _try_writing(options.junit)
    with redirect_stdout(sys.stderr):  # ours is for the report, whatever a minidriver prints
        try_loading(subject)
        certificate = certify(subject, settings, only=only)
    say(report.as_json(certificate) if options.json else report.table(certificate))
    if options.junit is not None:
        _write(options.junit, report.as_junit(certificate))
    if any(result.message.startswith(REFUSED) for result in certificate.results):
        say(f"hint: {REFUSED}; name the card's with --pin or --config", err=True)
    if options.pinned is not None:
        diff = pinned.changes(Path(options.pinned), certificate)
        if diff:
            say("\n".join(diff), err=options.json)
        return CHECK_FAILED if diff else 0
    return 0 if certificate.passed else CHECK_FAILED


def _try_writing(path: str) -> None:
    """Complain now rather than when all is done; a report that is there stays until then."""
    new = not Path(path).exists()
    _write(path, "", "a")
    if new:
        Path(path).unlink()


def _write(path: str, text: str, mode: str = "w") -> None:
    try:
        with Path(path).open(mode, encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VreaderError(f"cannot write {path}: {reason}", hint="name another file") from None
