# SPDX-License-Identifier: Apache-2.0
"""What the tool must know about replayed cards."""

from collections.abc import Mapping

from cards.standin import StandInKind
from vreader.card import Card, Store, check_options
from vreader.errors import UsageError

_OPTIONS = ("file", "strict", "reader", "atr")
_HINT = "write file=TRACE.jsonl, made by 'vreader record -o TRACE.jsonl -- COMMAND'"


class ReplayKind(StandInKind):
    """A :class:`vreader.card.CardKind`."""

    name = "replay"
    summary = "answers from a recorded trace (file=TRACE.jsonl[,strict=no])"

    def profiles(self) -> Mapping[str, str]:
        """Return the only one."""
        return {"trace": "needs file=TRACE.jsonl, or a text of '> command' and '< answer' lines"}

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Read the trace ``file=``.

        Options: ``strict=no`` takes commands in any order; ``reader=`` chooses one of several in
        the trace; ``atr=`` is for a trace that has none.

        Raises:
            UsageError: an option or the file makes no sense.
        """
        from cards.replay.card import ReplayCard
        from vreader.iso7816.atr import MAX_ATR_LENGTH
        from vreader.recording import load

        check_options(options, _OPTIONS, self.name)
        self.refuse_state(store)
        strict = options.get("strict", "yes")
        if strict not in ("yes", "no"):
            raise UsageError(f"strict={strict} is neither yes nor no", hint="write strict=no")
        try:
            atr = bytes.fromhex(options.get("atr", "3B80800101"))
        except ValueError:
            atr = b""
        if not 0 < len(atr) <= MAX_ATR_LENGTH:
            raise UsageError(
                f"atr={options['atr']} is not an ATR", hint="for example atr=3B80800101"
            )
        path = options.get("file", "")
        recording = load(path, options.get("reader", ""), _HINT)
        return ReplayCard(recording, path, atr, strict=strict == "yes")


KIND = ReplayKind()
