# SPDX-License-Identifier: Apache-2.0
"""``vreader inf install``: what an install writes, as a .reg file, and every step of it."""

from argparse import Namespace
from contextlib import nullcontext
from typing import TYPE_CHECKING

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError

if TYPE_CHECKING:
    from vreader.registry import Registry
    from vreader.setupapi.installation import Installation

USAGE = """vreader inf install FILE [--default | --device ID] [--compatible ID]
                           [--os OS] [--registry FILE.reg] [--json]"""


def configure(parser: Parser) -> None:
    """Describe the operation."""
    parser.describe("""
    Install an INF file: from its menu, which runs its DefaultInstall, or for a
    device by its hardware id. Printed is a .reg file of what is written; steps go
    to stderr, each with its line. With --registry the file is read, installed to
    and written back, whole or not at all, and the steps are printed. A bad INF
    changes nothing.

      vreader inf install fabrikam.inf
      vreader inf install fabrikam.inf --device 'SCFILTER\\CID_51FF0800' --os 6.1-x86
      vreader inf install fabrikam.inf --registry machine.reg
    """)
    parser.usage = USAGE
    add = parser.add_argument
    add("file", metavar="FILE", help="the INF file")
    add("--default", action="store_true", help="run DefaultInstall; the default")
    add("--device", dest="devices", metavar="ID", action="append", default=[],
        help="a hardware id of the device; repeatable, best first")  # fmt: skip
    add("--compatible", metavar="ID", action="append", default=[],
        help="a compatible id of the device; repeatable, best first")  # fmt: skip
    add("--os", metavar="OS", default="10.0-amd64", help="the Windows [10.0-amd64]")
    add("--registry", metavar="FILE.reg", help="what to install to; made where missing")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Install the file."""
    from vreader.pairing.windows import Windows
    from vreader.registry import Registry
    from vreader.registry.files import changing
    from vreader.registry.regexport import export_reg
    from vreader.setupapi.defaultinstall import install_default
    from vreader.setupapi.install import install_device
    from vreader.setupapi.package import read_package
    from vreader.setupapi.store import DriverStore

    ids: list[str] = options.devices
    if options.default and (ids or options.compatible):
        raise UsageError("--default is without a device", hint="leave --device out, or --default")
    windows = Windows.parse(options.os)
    sources = DriverStore(windows.inbox).sources
    inf = read_package(options.file).inf
    done: Installation
    with changing(options.registry) if options.registry else nullcontext(Registry()) as registry:
        if ids or options.compatible:
            first = (ids or options.compatible)[0].strip("\\")
            done = install_device(
                inf, registry, ids, instance=rf"{first}\0000", compatible_ids=options.compatible,
                target=windows.target, sources=sources,
            )  # fmt: skip
        else:
            done = install_default(inf, registry, windows.target, sources=sources)
    if options.json:
        import json

        say(json.dumps({**done.record(), "registry": _records(registry)}, indent=2))
        return 0
    from vreader.registry.show import printable

    for step in done.steps:
        text = f"{step.source}, line {step.line} [{step.section}]: {step.text}"
        say(printable(text), err=not options.registry)
    if not options.registry:
        text = export_reg(registry).decode("utf-16")
        say(text.replace("\r\n", "\n").rstrip("\n"))
    return 0


def _records(registry: "Registry") -> list[object]:
    from vreader.registry.show import records

    tops = [root for root in registry.roots() if root.subkeys() or root.values()]
    return [each for top in tops for each in records(top) if each["values"]]
