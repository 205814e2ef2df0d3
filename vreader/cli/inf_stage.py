# SPDX-License-Identifier: Apache-2.0
"""``vreader inf stage``: packages in a driver store on the disk."""

from argparse import Namespace

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError

USAGE = """vreader inf stage FILE... --store DIR [--os OS] [--json]
       vreader inf stage --store DIR [--remove NAME]... [--json]"""


def configure(parser: Parser) -> None:
    """Describe the operation."""
    parser.describe("""
    Put INF files into a driver store, a folder that is made where it is missing,
    as 'pnputil /add-driver' does: nothing is installed, no registry is written. A
    file that is there already keeps its name. Without a FILE, list what is there.

      vreader inf stage fabrikam.inf --store packages
      vreader inf stage --store packages
      vreader inf stage --store packages --remove oem0.inf
    """)
    parser.usage = USAGE
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE",
        help="an INF file; FILE,unsigned or FILE,whql says who signed it")  # fmt: skip
    add("--store", metavar="DIR", required=True, help="the folder")
    add("--os", metavar="OS", default="10.0-amd64", help="the Windows [10.0-amd64]")
    add("--remove", metavar="NAME", action="append", default=[],
        help="take a package out by its published name, such as oem0.inf; repeatable")  # fmt: skip
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Do what is asked."""
    from vreader.setupapi.package import read_package
    from vreader.setupapi.storefile import load_store, remove_from_disk, stage_on_disk
    from vreader.setupapi.target import TargetOS

    if options.files and options.remove:
        raise UsageError("--remove and files at once", hint="one after the other")
    arch = TargetOS.parse(options.os).arch
    packages = [read_package(file) for file in options.files]
    if packages:
        told = stage_on_disk(options.store, packages, arch)
    elif options.remove:
        told = remove_from_disk(options.store, options.remove)
    else:
        told = load_store(options.store).packages()
    if options.json:
        import json

        say(json.dumps([package.record() for package in told], indent=2))
        return 0
    from vreader.registry.show import printable

    for package in told:
        text = (
            f"{package.published:<9}  {package.name}, {package.provider or 'no provider'}, "
            f"{package.date:%m/%d/%Y} version {package.version_text}, {package.signature.value}"
        )
        say(printable(text))
    return 0
