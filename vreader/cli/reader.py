# SPDX-License-Identifier: Apache-2.0
"""``vreader reader``: put a reader driver through the certification checks."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from vreader.classfile import load_class
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError
from vreader.reader.base import ReaderDriver
from vreader.reader.driver import VirtualReader
from vreader.smclib.profile import PROFILES

CHECK_FAILED = 1
_HINT = "write --driver path/to/file.py:Class"


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Look at a reader driver as Microsoft's reader test (ifdtest) does.

      certify   use the reader as a device, with test cards: A card monitor,
                B attributes, C resource manager simulation, D protocol,
                E sleep and resume, F insertion and removal

    certify ends with exit code 1 when a check fails. Each check says which
    requirement it stands for.

      vreader reader certify
      vreader reader certify --profile nfc --only A,B
      vreader reader certify --link t1
      vreader reader certify --driver mydriver.py:MyReader --junit report.xml
    """)
    parser.usage = "vreader reader certify [OPTION]..."
    add = parser.add_argument
    add("op", choices=("certify",), metavar="OPERATION", help="one of the above")
    add("--driver", metavar="FILE.py:CLASS", help="a ReaderDriver of yours [the virtual reader]")
    add("--profile", choices=PROFILES, help="the virtual reader's driver profile [contact]")
    add("--link", metavar="LINK", help="the virtual reader at TPDU level: t0 or t1[,option…]")
    add("--only", metavar="LIST", help="parts (A) or checks (A.cancel), with commas between")
    add("--json", action="store_true", help="print JSON")
    add("--junit", metavar="FILE", help="also write a JUnit report")


def run(options: Namespace) -> int:
    """Run the checks, tell the results."""
    from vreader.certify import certify, report

    only = [] if options.only is None else [name.strip() for name in options.only.split(",")]
    settings: dict[str, Any] = {}
    if options.profile is not None:
        settings["profile"] = PROFILES[options.profile]
    if options.link is not None:
        from vreader.reader.linkspec import LinkSettings

        LinkSettings.parse(options.link)  # complains now rather than once for each check
        settings["link"] = options.link
    driver = VirtualReader if options.driver is None else load_driver(options.driver)
    if options.junit is not None:
        _write(options.junit, "")  # complains now rather than when all is done
    with redirect_stdout(sys.stderr):  # ours is for the report, whatever a driver prints
        certificate = certify(driver, only=only, **settings)
    say(report.as_json(certificate) if options.json else report.table(certificate))
    if options.junit is not None:
        _write(options.junit, report.as_junit(certificate))
    return 0 if certificate.passed else CHECK_FAILED


def load_driver(text: str) -> type[ReaderDriver]:
    """Return the driver class that ``file.py:Class`` names; raises UsageError."""
    path, _, name = text.rpartition(":")
    if not path or not name:
        raise UsageError(f"{text!r} names no class of a file", hint=_HINT)
    driver = load_class(path, name)
    if not (isinstance(driver, type) and issubclass(driver, ReaderDriver)):
        raise UsageError(
            f"{name} of {path} is no reader driver",
            hint="derive it from vreader.reader.base.ReaderDriver",
        )
    return driver


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VreaderError(f"cannot write {path}: {reason}", hint="name another file") from None
