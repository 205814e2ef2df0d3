# SPDX-License-Identifier: Apache-2.0
"""``vreader replay``: plays a recording, as the card that was recorded or as the program."""

import os
from argparse import REMAINDER, SUPPRESS, Namespace
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from vreader.cli.options import add_world_options, build_world
from vreader.cli.parser import Parser, complain, parse_behind, say
from vreader.errors import UsageError, VreaderError
from vreader.events import Event
from vreader.reader.events import ApduEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vreader.conversation.ends import End
    from vreader.conversation.randomness import Masks
    from vreader.recording import Session
    from vreader.world import World

DIFFERENT = 1
_RUN_FAILED = 125
_KEPT = 6  # the exchange that left the record, and some before
_PCSC = "pcsc:"
_AS_CLIENT = ("mask", "pin", "key", "json")
_KEY_BYTES = (16, 24, 32)
_FOR_BOTH = ("file", "arguments", "only", "unmask", "any_order", *_AS_CLIENT)


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Play a recording again, as the card or as the program.

      vreader replay FILE -- COMMAND         the card that was recorded, for COMMAND
      vreader replay FILE --card SPEC        its commands, sent to a new card
      vreader replay FILE --reader NAME      its commands, to a card of this machine

    FILE is what 'vreader record' or --trace has written, or a text of APDUs.
    As the card it is --card replay,file=FILE: where COMMAND leaves the record,
    stderr says what was due, and in the end which bytes differ. As the program
    it compares each answer, shows the first that differs, byte by byte, and ends
    with exit code 1. Without --card and --reader the commands go to the world it
    is started in.

    What is random by itself may differ: challenges, signatures, generated keys,
    what is proven about a challenge. Bytes that were masked when recorded fit
    any; --pin and --key say what is sent in their place.

      vreader replay piv.jsonl --card piv,seed=01 --pin 123456
      vreader replay piv.jsonl --card piv --mask '00F80000*'

    Commands are sent as they are, to a real card, too: what changed the card
    when it was recorded changes it now.""")
    parser.usage = """vreader replay FILE [OPTION]... -- COMMAND [ARG]...
       vreader replay FILE [--card SPEC | --reader NAME] [OPTION]..."""
    _add_options(parser)
    # FILE is the first of them: as an argument of its own it would take the -- with it.
    parser.add_argument("arguments", nargs=REMAINDER, help=SUPPRESS)


def _add_options(parser: Parser) -> None:
    add = parser.add_argument
    add("--only", metavar="READER", default="",
        help="the reader to play, of a recording of several: reader0, reader1")  # fmt: skip
    add("--any-order", action="store_true", help="as the card: commands may come in any order")
    add("--mask", metavar="RULE", action="append", default=[],
        help="as the program: what may differ besides challenge, signature, key, authentication: "
        "atr; none, which compares those too; or the answer's data, all or some bytes, of a "
        "command like 00CA....* or 00F80000*@0-4")  # fmt: skip
    add("--pin", metavar="PIN", action="append", default=[],
        help="as the program: stands where a command was masked; several for one command after "
        "the other, the last for all others; text, hex:…, env:NAME or -")  # fmt: skip
    add("--key", metavar="KEY", action="append", default=[],
        help="as the program: the management key of a PIV card, to answer its challenges; several "
        "for one after the other; hexadecimal, env:NAME or -")  # fmt: skip
    add("--json", action="store_true", help="as the program: print JSON")
    add_world_options(parser, brief=True)


def run(options: Namespace) -> int:
    """Play the recording."""
    words: list[str] = options.arguments
    parser = Parser("vreader replay")
    if words[:1] == ["-"]:
        raise UsageError("a recording to be played is a file", hint="'vreader show -' reads stdin")
    if not words or words[0].startswith("-"):
        parser.error(f"no such option: {words[0]}" if words and words[0] != "--" else "which FILE?")
    options.file = words[0]
    _add_options(parser)
    command = parse_behind(parser, options, words[1:])
    if command:
        return _as_card(options, command)
    return _as_client(options)


# ---------------------------------------------------------------------- as the card


def _as_card(options: Namespace, command: list[str]) -> int:
    from vreader.cli.run import Signals, run_in

    path: str = options.file
    for name in _AS_CLIENT:
        if getattr(options, name):
            raise UsageError(f"--{name} is for the program's part", hint="leave it out")
    if options.cards:
        raise UsageError("a COMMAND talks to the recorded card", hint="leave out --card, or -- …")
    if "," in path:
        raise UsageError(f"{path} has a comma in its name", hint="rename it, or link to it")
    spec = f"replay,file={path}"
    if options.only:
        spec += f",reader={options.only}"
    options.cards = [spec + (",strict=no" if options.any_order else "")]
    try:
        with Signals() as signals, build_world(options) as world:
            last = _Last(world, strict=not options.any_order)
            code = run_in(world, command, signals)
            last.tell(path)
            return code
    except VreaderError as error:  # as 'vreader run' has it: other codes are the command's
        complain(error)
        return _RUN_FAILED


class _Last:
    """Remembers the last exchanges of a world, up to the one that left the record."""

    def __init__(self, world: "World", *, strict: bool) -> None:
        self._card: Any = world.places[0].card  # of the kind replay
        self._strict = strict
        self._kept: deque[ApduEvent] = deque(maxlen=_KEPT)
        self._over = False
        world.events.subscribe(self._said)

    def _said(self, event: Event) -> None:
        if isinstance(event, ApduEvent) and not self._over:
            self._kept.append(event)
            self._over = self._card.left is not None

    def tell(self, source: str) -> None:
        """Say where the program left the record, or ended before it, if it did."""
        if self._over:
            from vreader.conversation.report import left_text

            say(left_text(self._card.left[0], self._kept, source), err=True)
        elif self._strict and (due := self._card.due) is not None:
            from vreader.conversation.report import ended_text

            say(ended_text(due, source), err=True)


# ---------------------------------------------------------------------- as the program


def _as_client(options: Namespace) -> int:
    from vreader import recording
    from vreader.conversation.randomness import Masks

    path: str = options.file
    if options.any_order:
        raise UsageError("--any-order is for the card's part", hint="it goes with -- COMMAND")
    masks = Masks.parse(options.mask)
    pins = [_pin(text) for text in options.pin]
    keys = [_key(text) for text in options.key]
    sessions = recording.load(path, options.only)
    with ExitStack() as closers:
        return _play(options, sessions, _end(options, closers), masks, pins, keys)


def _play(
    options: Namespace,
    sessions: "Sequence[Session]",
    end: "End",
    masks: "Masks",
    pins: list[bytes],
    keys: list[bytes],
) -> int:
    from vreader.conversation import report
    from vreader.conversation.playing import play

    played = play(
        sessions, end,
        source=options.file, masks=masks, pins=pins, keys=keys, unmask=options.unmask,
    )  # fmt: skip
    if options.json:
        import json

        say(json.dumps(report.record(played), indent=2))
    else:
        say(report.text(played, options.file))
    return DIFFERENT if played.difference else 0


def _end(options: Namespace, closers: ExitStack) -> "End":
    """Return what the commands are sent to."""
    from vreader.conversation.ends import ScardEnd, ServiceEnd

    if options.cards or options.state:
        from vreader.world.spec import IN_PROCESS

        if len(options.cards) > 1:
            raise UsageError("a recording is played to one card", hint="give one --card")
        if options.stack != "embedded":
            raise UsageError("--stack goes with -- COMMAND", hint="leave it out")
        options.stack = IN_PROCESS
        world = closers.enter_context(build_world(options))
        end = ScardEnd(world.scard, world.places[0].name)
        closers.callback(end.close)
        return end
    default = Parser("vreader replay")
    _add_options(default)
    for name, value in vars(default.parse_args([])).items():
        if name not in (*_FOR_BOTH, "readers") and getattr(options, name) != value:
            raise UsageError(f"--{name} goes with --card", hint="leave it out, or give --card SPEC")
    if len(options.readers) > 1:
        raise UsageError("a recording is played to one card", hint="give one --reader")
    if not options.readers and "PCSCLITE_CSOCK_NAME" not in os.environ:
        raise UsageError(
            "what is to be played with?",
            hint="write -- COMMAND, --card SPEC, or --reader NAME for a card of this machine",
        )
    service = ServiceEnd("".join(options.readers).removeprefix(_PCSC))
    closers.callback(service.close)
    return service


def _pin(text: str) -> bytes:
    from vreader.cli.machine import told_pin

    if text.startswith("hex:"):
        try:
            pin = bytes.fromhex(text.removeprefix("hex:"))
        except ValueError:
            pin = b""
    else:
        pin = told_pin(text).encode()
    if not pin:
        raise UsageError("--pin has no PIN", hint="write --pin 123456, or --pin hex:313233343536")
    return pin


def _key(text: str) -> bytes:
    from vreader.cli.machine import told_pin

    try:
        key = bytes.fromhex(told_pin(text, "--key", "KEY"))
    except ValueError:
        key = b""
    if len(key) not in _KEY_BYTES:
        raise UsageError(
            "--key is no management key", hint="it has 16, 24 or 32 bytes, in hexadecimal"
        )
    return key
