# SPDX-License-Identifier: Apache-2.0
"""``vreader inf new``: the INF of a new minidriver, made for one card."""

from argparse import Namespace

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError

USAGE = """vreader inf new (--atr HEX | --card SPEC) --name NAME --vendor VENDOR
                       --module DLL [OPTION]... [-o FILE]"""


def configure(parser: Parser) -> None:
    """Describe the operation."""
    parser.describe("""
    Write the INF of a minidriver package for a card. What it says of the card
    follows from the card's ATR, or from the ATR and a GUID where the card has
    an object 7F68. It explains itself in comments; 'vreader inf lint' finds no
    error in it. The same options give the same file.

      vreader inf new --atr 3B0451FF0800 --name "Fabrikam card" --vendor Fabrikam \\
          --module fabrikamcm.dll -o fabrikam.inf
      vreader inf new --card yubikey --name MyCard --vendor Me --module my.dll
    """)
    parser.usage = USAGE
    add = parser.add_argument
    add("--atr", metavar="HEX", help="the card's ATR")
    add("--card", metavar="SPEC", help="take the ATR from this card; --card of 'vreader run'")
    add("--mask", metavar="HEX", help="which bits of the ATR count [all]")
    add("--name", required=True, help="the card's name")
    add("--vendor", required=True, help="who makes the package")
    add("--module", metavar="DLL", required=True, help="file name of the card module")
    add("--module-wow64", metavar="DLL", help="file name of the 32-bit module [that of --module]")
    for option, who in (("--csp", "CAPI"), ("--ksp", "CNG")):
        add(option, choices=("yes", "no"), default="yes", metavar="yes|no",
            help=f"the module is for {who} programs [yes]")  # fmt: skip
    add("--guid", help="first GUID of the card's object 7F68; it is the hardware id then")
    add("--arch", metavar="LIST", default="x86,amd64", help="of x86,amd64,arm64 [x86,amd64]")
    add("--driver-ver", metavar="DATE,VERSION", help="mm/dd/yyyy,w.x.y.z [01/01/2026,1.0.0.0]")
    add("-o", "--output", metavar="FILE", help="where to; UTF-16LE if need be [stdout]")
    add("--force", action="store_true", help="replace a file that exists")
    add("--json", action="store_true", help="print JSON: file, hardware id, text")


def run(options: Namespace) -> int:
    """Write the file."""
    from vreader.setupapi.skeleton import DEFAULT_DRIVER_VER, file_bytes, skeleton

    text = skeleton(
        _atr(options),
        name=options.name,
        vendor=options.vendor,
        module=options.module,
        mask=None if options.mask is None else _hex(options.mask, "--mask"),
        module_wow64=options.module_wow64,
        csp=options.csp == "yes",
        ksp=options.ksp == "yes",
        guid=options.guid,
        architectures=options.arch.split(","),
        driver_ver=options.driver_ver or DEFAULT_DRIVER_VER,
    )
    path: str | None = options.output
    if options.json:
        import json

        told = {"file": path, "hardware_id": _hardware_id(text), "text": text}
        say(json.dumps(told, indent=2))
    elif path is None:
        say(text, end="")
    if path is not None:
        from vreader.publish import publish

        try:
            publish(file_bytes(text), path, replace=options.force, mode=0o666)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"cannot write {path}: {reason}", hint="name another file") from None
    return 0


def _hardware_id(text: str) -> str:
    """Return the id of a skeleton's models, which have but one."""
    return next(line for line in text.splitlines() if line.startswith("%Card% = ")).split(",")[1]


def _atr(options: Namespace) -> bytes:
    if (options.atr is None) == (options.card is None):
        raise UsageError("one of --atr and --card says which card it is", hint="give one of them")
    if options.atr is not None:
        return _hex(options.atr, "--atr")
    from vreader.card import CardGone, CardMute
    from vreader.cardfile import close
    from vreader.cardspec import CardSpec

    spec = CardSpec.parse(options.card)
    card = spec.make()
    if card is None:
        raise UsageError("there is no card in an empty reader", hint="--card piv, or --atr 3B…")
    try:
        return card.power_on()
    except (CardGone, CardMute):
        raise VreaderError(
            f"card {spec.label} does not answer", hint="give its ATR with --atr", exit_code=3
        ) from None
    finally:
        close(card)


def _hex(text: str, option: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(
            f"{option} {text[:40]!r} is not hexadecimal", hint="write bytes as 3B0451FF0800"
        ) from None
