# SPDX-License-Identifier: Apache-2.0
"""``vreader inf lint``: findings as lines for a person or as JSON."""

from argparse import Namespace

from vreader.cli.parser import Parser, say

CHECK_FAILED = 1
USAGE = "vreader inf lint FILE [--with OTHER]... [--json]"


def configure(parser: Parser) -> None:
    """Describe the operation."""
    parser.describe("""
    List what is wrong with the INF of a smart card reader or of a card's
    minidriver: line, how bad, rule, reason, source, what to write. The rules
    are those of the file's class. It ends with exit code 1 when it finds
    errors; warnings alone are 0.

    With --with it is also looked at beside other minidrivers: cards that both
    would take, hardware ids and names that both have.

      vreader inf lint myreader.inf
      vreader inf lint mycard.inf --with theircard.inf
    """)
    parser.usage = USAGE
    add = parser.add_argument
    add("file", metavar="FILE", help="the INF file, UTF-16LE, UTF-8 or ANSI")
    add("--with", dest="others", metavar="OTHER", action="append", default=[],
        help="another minidriver's INF; may be repeated")  # fmt: skip
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Lint the file."""
    from vreader.setupapi.inffile import read_inf_file
    from vreader.setupapi.lint import has_errors, lint

    path: str = options.file
    others: list[str] = options.others
    findings = lint(read_inf_file(path), [read_inf_file(other) for other in others])
    if options.json:
        import json

        say(json.dumps([finding.record() for finding in findings], indent=2))
    else:
        for finding in findings:
            rule = finding.rule
            line = str(finding.line) if finding.line else "-"
            say(f"{line:>5}  {rule.severity:<7}  {rule.number}  {finding.text}")
            say(f"       because {rule.reason} ({rule.source})")
            say(f"       write   {rule.fix}")
        if not findings:
            say(f"{path}: nothing to complain about")
    return CHECK_FAILED if has_errors(findings) else 0
