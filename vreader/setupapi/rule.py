# SPDX-License-Identifier: Apache-2.0
"""A rule of the INF lint: its number, how bad it is to break it, why, and what to do."""

from collections.abc import Callable
from typing import Final

Report = Callable[[int, int, str], None]
"""Reports a finding: number of the rule, line, detail."""

ERROR: Final = "error"
WARNING: Final = "warning"
INFO: Final = "info"


class Rule:
    """One rule.

    Attributes:
        number: names it.
        severity: ``error`` (Windows refuses the file, or reader or card do not work as documented),
            ``warning``, or ``info``: allowed, and has a consequence not everybody wants.
        title: what is wrong, in a few words.
        reason: why it matters.
        source: the public document that says so.
        fix: what to write instead.
    """

    __slots__ = ("fix", "number", "reason", "severity", "source", "title")

    def __init__(
        self, number: int, severity: str, title: str, reason: str, source: str, fix: str
    ) -> None:
        self.number = number
        self.severity = severity
        self.title = title
        self.reason = reason
        self.source = source
        self.fix = fix
