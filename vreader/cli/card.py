# SPDX-License-Identifier: Apache-2.0
"""``vreader card``: cards in files. What it does is in :mod:`vreader.cardfile`."""

import os
import sys
from argparse import REMAINDER, SUPPRESS, Namespace

from vreader import cardfile
from vreader.card import KeepingKind
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, near
from vreader.kinds import find_keeping_kind
from vreader.publish import write_file
from vreader.recipe import Recipe, parse_seed

_ACTIONS = {
    "new": "make a card that can be used: keys, certificates, PIN",
    "info": "tell about the card: profile, ATR, tries left, keys; no secrets",
    "export": "write its image as JSON to OUT or stdout, with private keys and PINs",
    "import": "make FILE from the exported image IN (- is stdin)",
    "reset": "make it again what it was when it was made",
}
_EXAMPLES = {
    "info": "vreader card info alice.card --json",
    "export": "vreader card export alice.card alice.json",
    "import": "vreader card import alice.json copy.card",
    "reset": "vreader card reset alice.card",
}
_PROFILE = "what the card is made as: a kind of 'vreader cards', or a TOML file [piv]"


def configure(parser: Parser) -> None:
    """Describe the command."""
    actions = "\n".join(f"  {name:<7} {about}" for name, about in _ACTIONS.items())
    parser.describe(f"""\
Make cards in files, look at them, copy them, reset them. A file is a card for
--card KIND,state=FILE or --state FILE; one process at a time may use it.

{actions}

  vreader card new alice.card --profile piv --pin 123456 --subject CN=alice \\
      --slot 9a:rsa2048 --slot 9d:p256
  vreader card new bob.card --pfx bob.p12 --password env:SECRET
  vreader card info alice.card

The options of new are those of the card's kind, and tell what it is made with:
'vreader card new --profile KIND --help' lists them. The value - is asked for
at the terminal.""")
    parser.usage = """vreader card new FILE [--profile KIND[:PROFILE]|FILE.toml]
                        [--seed HEX] [--force] [--OPTION VALUE]...
       vreader card info FILE [--json]
       vreader card export FILE [OUT] [--force]
       vreader card import IN FILE [--force]
       vreader card reset FILE"""
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help="one of the above")
    parser.add_argument("arguments", nargs=REMAINDER, metavar="FILE", help=SUPPRESS)


def run(options: Namespace) -> int:
    """Do what is asked."""
    action: str = options.action
    arguments: list[str] = options.arguments
    if action == "new":
        return _new(arguments)
    parser = Parser(f"vreader card {action}")
    about = _ACTIONS[action]
    parser.describe(f"{about[0].upper()}{about[1:]}.\n\n  {_EXAMPLES[action]}")
    add = parser.add_argument
    if action == "import":
        add("image", metavar="IN", help="an exported image, - is stdin")
    add("file", metavar="FILE", help="the card's file")
    if action == "info":
        add("--json", action="store_true", help="print JSON")
    if action == "export":
        add("out", metavar="OUT", nargs="?", default="-", help="where to, - is stdout [-]")
    if action in ("export", "import"):
        add("--force", action="store_true", help="replace a file that exists")
    asked = parser.parse_args(arguments)
    if action == "info":
        _info(asked.file, as_json=asked.json)
    elif action == "export":
        _export(asked.file, asked.out, force=asked.force)
    elif action == "import":
        cardfile.load(_image(asked.image), asked.file, replace=asked.force)
        _info(asked.file)
    else:
        cardfile.reset(asked.file)
        _info(asked.file)
    return 0


# ---------------------------------------------------------------------- new


def _new(arguments: list[str]) -> int:
    profile = _profile(arguments)
    recipe = Recipe.parse(profile)
    kind = find_keeping_kind(recipe.kind)
    create, provision = kind.options(), kind.provisioning()
    parser = Parser("vreader card new")
    parser.usage = "vreader card new FILE [--profile PROFILE] [--OPTION VALUE]..."
    parser.describe(_about(kind))
    add = parser.add_argument
    add("file", metavar="FILE", help="the card's file, which must not exist")
    add("--profile", metavar="PROFILE", help=_PROFILE)
    add("--seed", metavar="HEX", help="makes serial numbers and identifiers repeatable")
    add("--force", action="store_true", help="replace a card that is in the file")
    for title, lines, action in (
        ("what the card is", create, "store"),
        ("its keys and certificates", provision, "append"),
    ):
        group = parser.add_argument_group(title)
        for name, about in lines.items():
            # Both tables may have a word in common with each other or with this command.
            dest = f"{action}.{name}"
            said = about.replace("%", "%%")
            group.add_argument(f"--{name}", dest=dest, action=action, metavar="VALUE", help=said)
    asked, rest = parser.parse_known_args(arguments)
    if rest:
        _unknown(rest[0], [*create, *provision, "profile", "seed", "force"], profile)
    given = vars(asked)
    recipe = recipe.with_options(
        {n: _value(n, given[f"store.{n}"]) for n in create if given[f"store.{n}"] is not None},
        {
            n: [_value(n, text) for text in given[f"append.{n}"]]
            for n in provision
            if given[f"append.{n}"] is not None
        },
        None if asked.seed is None else parse_seed(asked.seed, "--seed"),
    )
    cardfile.write(recipe, asked.file, replace=asked.force)
    _info(asked.file)
    return 0


def _about(kind: KeepingKind) -> str:
    """Return what help says about a kind."""
    from textwrap import fill

    profiles = kind.profiles()
    width = max(map(len, profiles))
    lines = [f"  {kind.name}:{name:<{width}}  {about}" for name, about in profiles.items()]
    return "\n".join((
        fill(f"Make a card in a file: {kind.summary}. Profiles:", 80),
        "",
        *(fill(line, 80, subsequent_indent=" " * (len(kind.name) + width + 5)) for line in lines),
        "",
        f"  vreader card new my.card --profile {kind.name} --seed 01",
        "",
        "Without options it has one key and the default values in brackets. The value -",
        "is asked for at the terminal; what is typed in the command, 'ps' shows to all.",
    ))  # fmt: skip


def _profile(arguments: list[str]) -> str:
    """Return what --profile says: it decides which other options there are."""
    found = "piv"
    for number, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == "--profile":
            found = value if equals else "".join(arguments[number + 1 : number + 2])
    return found


def _unknown(word: str, known: list[str], profile: str) -> None:
    name = word.partition("=")[0]
    # What follows an unknown option may be a PIN: it is not repeated.
    what = f"no such option: {name}" if name.startswith("-") else "more than one FILE"
    meant = near(name.removeprefix("--"), known).replace("mean ", "mean --")
    raise UsageError(what, hint=meant or f"see 'vreader card new --profile {profile} --help'")


def _value(name: str, text: str) -> str:
    """Return the value of an option, asked for at the terminal where it is ``-``."""
    if text != "-":
        return text
    if not sys.stdin.isatty():
        raise UsageError(
            f"--{name} - asks at a terminal, and there is none", hint=f"write --{name} VALUE"
        )
    from getpass import getpass

    try:
        return getpass(f"{name}: ")
    except EOFError:
        raise UsageError(f"--{name} - got no answer", hint=f"write --{name} VALUE") from None


# ---------------------------------------------------------------------- the others


def _info(path: str, *, as_json: bool = False) -> None:
    told = cardfile.info(path)
    if as_json:
        import json

        say(json.dumps(told, indent=2))
        return
    width = max(map(len, told))
    for label, value in told.items():
        # A name in a certificate may hold what a terminal would obey.
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
        say(f"{label:<{width}}  {shown}")


def _export(path: str, out: str, *, force: bool) -> None:
    image = cardfile.export(path)
    if out == "-":
        say(image.decode(), end="")
        return
    if os.path.exists(out) and os.path.samefile(path, out):  # noqa: PTH110, PTH121
        raise UsageError(f"{out} is the card itself", hint="name another file")
    write_file(out, image, replace=force, mode=0o600)


def _image(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read(cardfile.MAX_IMAGE + 1)
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            return file.read(cardfile.MAX_IMAGE + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="name a file made by vreader card export"
        ) from error
