# SPDX-License-Identifier: Apache-2.0
"""``vreader export``: a trace or a recording as packets for Wireshark."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator

from vreader.cli.parser import Parser
from vreader.errors import UsageError, VreaderError

_END = ".pcapng"
_STEP_S = 1e-3  # between commands of a text, which has no times


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Write a trace (JSON lines), a recording, or a text of '> command' and
    '< answer' lines as a pcapng file, which Wireshark and tshark decode
    without setup. Bytes that were masked become zeros.

      vreader export trace.jsonl trace.pcapng
      vreader export talk.txt - | wireshark -k -i -
    """)
    add = parser.add_argument
    add("file", metavar="FILE", help="the trace or recording")
    add("out", metavar="OUT.pcapng", help="the capture; - is standard output")
    add("--only", metavar="READER", help="only what this reader says, named as in FILE")


def run(options: Namespace) -> int:
    """Convert the file."""
    from vreader.readfile import read_text

    path: str = options.file
    out: str = options.out
    if out != "-" and not out.lower().endswith(_END):
        raise UsageError(f"captures are pcapng files, and {out} is called none",
                         hint=f"for example {out}{_END}")  # fmt: skip
    if out != "-" and os.path.realpath(out) == os.path.realpath(path):
        raise UsageError(f"{out} is what is to be exported", hint="name another file")
    text = read_text(path, "trace", "name a file that '--trace FILE.jsonl' has written")
    blocks = b"".join(_blocks(text, path, options.only))  # before a file loses what it holds
    if out == "-":
        sys.stdout.buffer.write(blocks)
        sys.stdout.buffer.flush()
        return 0
    from vreader.trace import open_binary

    try:
        with open_binary(out, "capture") as file:
            file.write(blocks)
    except OSError as error:
        raise VreaderError(
            f"the capture is not in {out}: {error.strerror or error}", hint="name another file"
        ) from None
    return 0


def _blocks(text: str, path: str, reader: str | None) -> Iterator[bytes]:
    from vreader.cli.show import find_event
    from vreader.conversation.reading import read_events
    from vreader.trace.events import TraceOpened
    from vreader.trace.pcapng import NO_TIME, PcapngFormat
    from vreader.trace.recent import carries

    write = PcapngFormat()
    begun = False
    last = -_STEP_S
    readers: set[str] = set()
    for seconds, event in read_events(text, path, find_event):
        who = getattr(event, "reader", "") or getattr(event, "device", "")
        readers.add(who)
        if not begun and not isinstance(event, TraceOpened):
            yield write(0.0, NO_TIME)
        begun = True
        last = last + _STEP_S if seconds is None else seconds
        if not carries(event) and (reader is None or who in ("", reader)):
            yield write(last, event)
    if not begun:
        raise UsageError(f"{path} has nothing in it", hint="name a trace or a recording")
    if reader is not None and reader not in readers:
        names = ", ".join(sorted(filter(None, readers))) or "none"
        raise UsageError(f"{path} has no reader {reader!r}", hint=f"readers: {names}")
