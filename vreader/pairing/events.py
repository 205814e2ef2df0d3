# SPDX-License-Identifier: Apache-2.0
"""What the pairing lab says while it works."""

from vreader.events import Event


class PairingStep(Event):
    """One step of a pairing, for traces and for the answer.

    Attributes:
        stage: ``insertion``, ``plug and play``, ``driver search``, ``install``, ``winscard``,
            ``provider`` or ``class minidriver``; in the lab of minidrivers also ``minidriver`` and
            ``signature``.
        text: what happened and why, in one line.
        facts: the same as (name, value) pairs of plain values.
    """

    stage: str
    text: str
    facts: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return f"{self.stage}: {self.text}"

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {"stage": self.stage, "text": self.text, **dict(self.facts)}
