# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver certify``: put a minidriver through the certification checks."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from pathlib import Path

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
      vreader minidriver certify init > cmck_config.xml
      vreader minidriver certify --card gids --config cmck_config.xml
    """)
    parser.usage = "vreader minidriver certify [init] [--OPTION]..."
    add = parser.add_argument
    add("op", nargs="?", choices=("init",), metavar="init", help="print a configuration")
    add("--card", metavar="SPEC", help="the card, as for 'vreader run'; it is copied")
    add("--dll", metavar="FILE", default="msclmd.dll",
        help="the minidriver: msclmd.dll, file.py:Class, or a DLL [msclmd.dll]")  # fmt: skip
    add("--config", metavar="FILE", help="a cmck_config.xml [PIN 123456, everything supported]")
    add("--only", metavar="LIST", help="parts (E) or checks (E.cardid), with commas between")
    add("--json", action="store_true", help="print JSON")
    add("--junit", metavar="FILE", help="also write a JUnit report")


def run(options: Namespace) -> int:
    """Run the checks, tell the results."""
    from vreader.minidriver.certify import Settings, Subject, certify, cmck, report, select
    from vreader.minidriver.certify.freshcards import fresh_cards
    from vreader.minidriver.load import load_module

    if options.op == "init":
        say(cmck.dump(Settings()).rstrip("\n"))
        return 0
    if options.card is None:
        raise UsageError("which card?", hint="give --card SPEC, for example --card gids")
    only = [] if options.only is None else [name.strip() for name in options.only.split(",")]
    select(only)
    settings = Settings() if options.config is None else cmck.load(options.config)
    subject = Subject(
        options.dll, lambda api: load_module(options.dll, api), fresh_cards(options.card)
    )
    if options.junit is not None:
        _write(options.junit, "")  # complains now rather than when all is done
    with redirect_stdout(sys.stderr):  # ours is for the report, whatever a minidriver prints
        certificate = certify(subject, settings, only=only)
    say(report.as_json(certificate) if options.json else report.table(certificate))
    if options.junit is not None:
        _write(options.junit, report.as_junit(certificate))
    return 0 if certificate.passed else CHECK_FAILED


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VreaderError(f"cannot write {path}: {reason}", hint="name another file") from None
