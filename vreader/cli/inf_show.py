# SPDX-License-Identifier: Apache-2.0
"""``vreader inf show``: what an INF file is, and what each Windows would take of it."""

from argparse import Namespace

from vreader.cli.parser import Parser, say

USAGE = "vreader inf show FILE [--os OS]... [--device ID] [--json]"


def configure(parser: Parser) -> None:
    """Describe the operation."""
    parser.describe("""
    Show what an INF file is: class, provider, version; its models; which section
    each Windows would install, for a device and from the file's menu; the cards
    that it registers and the files that it copies.

      vreader inf show fabrikam.inf
      vreader inf show fabrikam.inf --os 6.1-x86 --device 'SCFILTER\\CID_51FF0800'
    """)
    parser.usage = USAGE
    add = parser.add_argument
    add("file", metavar="FILE", help="the INF file; FILE,unsigned says that nobody signed it")
    add("--os", dest="systems", metavar="OS", action="append",
        help="a Windows, such as 10.0-amd64; repeatable [seven of them]")  # fmt: skip
    add("--device", metavar="ID", default="", help="the device, by a hardware or compatible id")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Show the file."""
    from vreader.pairing.windows import Windows
    from vreader.setupapi.package import read_package
    from vreader.setupapi.show import SYSTEMS, outline, told
    from vreader.setupapi.store import DriverStore

    systems: list[str] = options.systems or list(SYSTEMS)
    sources = DriverStore(Windows.parse(systems[0]).inbox).sources
    found = outline(read_package(options.file), systems, device=options.device, sources=sources)
    if options.json:
        import json

        say(json.dumps(found.record(), indent=2))
    else:
        say("\n".join(told(found)))
    return 0
