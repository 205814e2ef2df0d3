# SPDX-License-Identifier: Apache-2.0
"""``vreader show``: what a trace or recording says, with the commands explained."""

import sys
from argparse import Namespace
from importlib import import_module

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError
from vreader.events import Event
from vreader.reader.events import ApduEvent

_INSIDE = " " * 26  # an answer's data objects, behind it
# Of rooms that the trace does not know, but whose events have words of their own.
_HOMES = {
    "TraceOpened": "vreader.trace.events",
    "IrpEvent": "vreader.wdm.events",
    "DeviceEvent": "vreader.wdm.events",
    "StateEvent": "vreader.smclib.events",
    "DebugEvent": "vreader.smclib.events",
    "DriverLogEvent": "vreader.smclib.events",
    "ReaderNamed": "vreader.host.events",
    "ClientEvent": "vreader.bridge.pcsclite.events",
    "ReaderChangeEvent": "vreader.winscard.events",
    "CardNameEvent": "vreader.winscard.events",
    "CardCallStarted": "vreader.minidriver.events",
    "CardCallEvent": "vreader.minidriver.events",
    "PairingStep": "vreader.pairing.events",
    **dict.fromkeys(
        ("CardEvent", "ApduEvent", "TpduEvent", "PinEvent", "CardFaultEvent", "FaultEvent"),
        "vreader.reader.events",
    ),
    **dict.fromkeys(
        (
            "VpcdConnected",
            "VpcdDisconnected",
            "VpcdRefused",
            "VpcdIgnored",
            "CardProgramConnected",
            "CardProgramLeft",
            "CardProgramRefused",
        ),
        "vreader.bridge.vpcd.events",
    ),
    **dict.fromkeys(
        ("SerialCcidConnected", "SerialCcidWaiting", "SerialCcidIgnored"),
        "vreader.bridge.serialccid.events",
    ),
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Show a trace, a recording, or a text of APDUs, with its commands explained.

    FILE is what 'vreader record -o FILE' or --trace FILE.jsonl has written, or
    lines of '> command', '< answer', 'RESET' and '# remark'; - is stdin. PINs
    and keys are masked, also in texts that other tools have written. Answers
    are split into their data objects (BER-TLV).

      vreader show piv.jsonl
      vreader show --debug protocol trace.jsonl      the commands alone
      printf '> 00A4040005A000000308\\n< 9000\\n' | vreader show -
      vreader show --json talk.txt > talk.jsonl      a text becomes a recording
    """)
    add = parser.add_argument
    add("file", metavar="FILE", help="the file, - is stdin")
    add("--only", metavar="READER", help="one reader of several, as the file names it: reader0")
    add("--debug", metavar="LEVEL", help="only what belongs to these bits; as for 'vreader run'")
    add("--full", action="store_true", help="all bytes, however many")
    add("--unmask", action="store_true", help="show PINs and keys that are in the file")
    add("--json", action="store_true", help="print JSON lines")


def run(options: Namespace) -> int:
    """Print the file's events."""
    from vreader.conversation.objects import Objects
    from vreader.conversation.reading import read_events
    from vreader.trace import wants_colour
    from vreader.trace.jsonl import json_line
    from vreader.trace.level import bits_of, parse_level
    from vreader.trace.notation import one_line
    from vreader.trace.text import SHOWN_BYTES, TextFormat

    path: str = options.file
    level = None if options.debug is None else parse_level(options.debug)
    text = _text(path)
    name = "standard input" if path == "-" else path
    write = TextFormat(colour=wants_colour(sys.stdout), full=options.full)
    events = 0
    readers: set[str] = set()
    objects: dict[str, Objects] = {}
    for seconds, event in read_events(text, name, find_event, unmask=options.unmask):
        events += 1
        reader = getattr(event, "reader", "") or getattr(event, "device", "")
        readers.add(reader)
        if options.only is not None and reader != options.only:
            continue
        if level is not None and not bits_of(event) & level:
            continue
        if options.json:
            say(json_line(seconds or 0.0, event), end="")
            continue
        say(write(seconds, event), end="")
        if isinstance(event, ApduEvent):
            follow = objects.setdefault(reader, Objects(None if options.full else SHOWN_BYTES))
            for line in follow.lines(event):
                say(_INSIDE + one_line(line))
    if not events:
        raise UsageError(f"{name} has nothing in it", hint="name a trace or a recording")
    if options.only is not None and options.only not in readers:
        names = ", ".join(sorted(filter(None, readers))) or "none"
        raise UsageError(f"{name} has no reader {options.only!r}", hint=f"readers: {names}")
    return 0


def _text(path: str) -> str:
    from vreader.readfile import MAX_TEXT, decode, read_text

    if path != "-":
        return read_text(path, "recording", "name a trace or a recording, or - for stdin")
    data = sys.stdin.buffer.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise UsageError(f"stdin is larger than {MAX_TEXT >> 20} MiB", hint="show a part of it")
    return decode(data, "standard input", "recording")


def find_event(name: str) -> type[Event] | None:
    """Return the class of events of a name, None where they are shown by their fields."""
    home = _HOMES.get(name)
    found: type[Event] | None = getattr(import_module(home), name) if home else None
    return found
