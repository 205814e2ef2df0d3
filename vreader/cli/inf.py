# SPDX-License-Identifier: Apache-2.0
"""``vreader inf``: what is to be said of a reader driver's INF file."""

from argparse import Namespace

from vreader.cli.parser import Parser, say

CHECK_FAILED = 1


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Look at the INF file of a smart card reader driver.

      lint   list what is wrong with it: line, rule, reason, source, what to do

    lint ends with exit code 1 when it finds errors; warnings alone are 0.

      vreader inf lint myreader.inf
    """)
    parser.usage = "vreader inf lint FILE [--json]"
    add = parser.add_argument
    add("op", choices=("lint",), metavar="OPERATION", help="one of the above")
    add("file", metavar="FILE", help="the INF file, UTF-16LE, UTF-8 or ANSI")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Lint the file."""
    from vreader.host.installer import read_inf_file
    from vreader.setupapi.lint import has_errors, lint

    path: str = options.file
    findings = lint(read_inf_file(path))
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
