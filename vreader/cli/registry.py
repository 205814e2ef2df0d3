# SPDX-License-Identifier: Apache-2.0
"""``vreader registry``: registry files. What it does is in :mod:`vreader.registry`."""

import sys
from argparse import REMAINDER, SUPPRESS, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError, near

if TYPE_CHECKING:
    from vreader.registry import Key, Registry

_ACTIONS = {
    "show": "print a key and all below it as a tree",
    "import": "read FILEs into INTO.reg, made where missing, all or nothing",
    "export": "write keys as a .reg file to OUT or stdout",
}

_EXAMPLES = {
    "show": r"""  vreader registry show calais.reg
  vreader registry show SOFTWARE 'HKLM\SOFTWARE\Microsoft\Cryptography' \
      --bits 32 --depth 2""",
    "import": "  vreader registry import machine.reg calais.reg policies.reg",
    "export": r"""  vreader registry export SOFTWARE -o calais.reg \
      'HKLM\SOFTWARE\Microsoft\Cryptography\Calais'""",
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    actions = "\n".join(f"  {name:<7} {about}" for name, about in _ACTIONS.items())
    examples = "\n".join(_EXAMPLES.values())
    parser.describe(f"""\
Look at registry files, merge and convert them. A FILE is a .reg file of either
version, as 'reg export' writes one, or a hive: SOFTWARE, NTUSER.DAT, what
'reg save' writes. Hives are read by regipy: pip install 'vreader[lab]'.

{actions}

{examples}""")
    parser.usage = r"""vreader registry show FILE [KEY] [--bits 32|64] [--depth N]
                        [--root KEY] [--json]
       vreader registry import INTO.reg FILE... [--only KEY]... [--root KEY]
       vreader registry export FILE [KEY]... [-o OUT] [--force] [--version 4|5]
                        [--root KEY]"""
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help="one of the above")
    parser.add_argument("arguments", nargs=REMAINDER, metavar="FILE", help=SUPPRESS)


def run(options: Namespace) -> int:
    """Do what is asked."""
    action: str = options.action
    parser = Parser(f"vreader registry {action}")
    about = _ACTIONS[action]
    parser.describe(f"{about[0].upper()}{about[1:]}.\n\n{_EXAMPLES[action]}")
    add = parser.add_argument
    if action == "import":
        add("into", metavar="INTO.reg", help="the .reg file, version 5 when it is written")
        add("files", nargs="+", metavar="FILE", help="a .reg file or a hive")
        add("--only", action="append", default=[], metavar="KEY", help="of a hive this key alone")
    else:
        add("file", metavar="FILE", help="a .reg file or a hive")
    if action == "show":
        add("key", nargs="?", metavar="KEY", help=r"such as HKLM\SOFTWARE\Microsoft; all without")
        add("--bits", type=int, choices=(32, 64), help="KEY as a program of so many bits sees it")
        add("--depth", type=int, metavar="N", help="so many levels of keys below KEY")
        add("--json", action="store_true", help="print JSON")
    if action == "export":
        add("keys", nargs="*", metavar="KEY", help="with all below it; all without")
        add("-o", dest="out", default="-", metavar="OUT", help="where to, - is stdout [-]")
        add("--force", action="store_true", help="replace a file that exists")
        add("--version", type=int, choices=(4, 5), default=5, help="of the .reg file [5]")
    add("--root", default="", metavar="KEY", help=r"what a hive is, such as HKLM\SOFTWARE")
    asked = parser.parse_intermixed_args(options.arguments)

    from vreader.registry import RegistryError

    try:
        {"show": _show, "import": _import, "export": _export}[action](asked)
    except RegistryError as error:
        raise UsageError(str(error), hint=r"a key is HKLM\SOFTWARE\name\name") from None
    return 0


def _show(asked: Namespace) -> None:
    from vreader.registry import show
    from vreader.registry.view import seen

    if asked.depth is not None and asked.depth < 0:
        raise UsageError(f"--depth {asked.depth}", hint="0 is the key alone")
    if asked.bits and asked.key is None:
        raise UsageError("--bits is about a KEY", hint=r"name one, such as HKLM\SOFTWARE")
    keys = [seen(asked.key, asked.bits or 64)] if asked.key is not None else []
    registry = _load(asked.file, asked.root, keys)
    if keys:
        tops = [_found(registry, keys[0], asked.file)]
    else:
        tops = [root for root in registry.roots() if root.subkeys() or root.values()]
    if asked.json:
        import json

        found = [each for top in tops for each in show.records(top, asked.depth)]
        say(json.dumps(found, indent=2))
    elif tops:
        say("\n".join(line for top in tops for line in show.tree(top, asked.depth)))


def _import(asked: Namespace) -> None:
    from vreader.registry.files import changing, read_file

    # Nobody waits for us while we wait for a pipe.
    files = [(path, read_file(path)) for path in asked.files]
    missing = asked.only
    with changing(asked.into) as registry:
        for path, data in files:
            _read(registry, data, path, asked.root, asked.only)
            missing = [key for key in missing if registry.find(key) is None]
        for key in missing:
            _found(registry, key, asked.files[0])
    count = sum(1 for root in registry.roots() for _ in root.walk()) - len(registry.roots())
    say(f"{asked.into}: {count} keys")


def _export(asked: Namespace) -> None:
    from vreader.publish import write_file
    from vreader.registry.regexport import export_reg

    registry = _load(asked.file, asked.root, asked.keys)
    for key in asked.keys:
        _found(registry, key, asked.file)
    data = export_reg(registry, asked.keys, version=asked.version)
    if asked.out == "-":
        _to_stdout(data)
    else:
        write_file(asked.out, data, replace=asked.force)


# ---------------------------------------------------------------------- files


def _load(path: str, root: str, only: Sequence[str]) -> "Registry":
    from vreader.registry import Registry
    from vreader.registry.files import read_file

    registry = Registry()
    _read(registry, read_file(path), path, root, only)
    return registry


def _read(registry: "Registry", data: bytes, path: str, root: str, only: Sequence[str]) -> None:
    """Read a file, and say where a hive's latest changes are not in it."""
    from vreader.registry.files import import_data
    from vreader.registry.hive import is_dirty
    from vreader.registry.regf import is_hive

    import_data(registry, data, path, root=root, only=only)
    if is_hive(data) and is_dirty(data):
        say(
            f"note: {path} was in use when it was copied: changes in its .LOG files are not seen",
            err=True,
        )


def _found(registry: "Registry", path: str, file: str) -> "Key":
    """Return a key, or say which was probably meant."""
    key = registry.find(path)
    if key is not None:
        return key
    there, _, name = path.rpartition("\\")
    while (above := registry.find(there)) is None:
        there, _, name = there.rpartition("\\")
    meant = near(name, [below.name for below in above.subkeys()])
    raise UsageError(
        f"{file} has no key {path}", hint=meant or f"see 'vreader registry show {file} --depth 3'"
    )


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = None  # flushing it at exit must not fail again
        raise VreaderError(
            f"cannot write the output: {error.strerror}", hint="is there room on the disk?"
        ) from error
