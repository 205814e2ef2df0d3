# SPDX-License-Identifier: Apache-2.0
"""Minidriver certification: each documented rule as a named check, against any minidriver.

Every check has a machine of its own with a fresh card. What it holds are rows of
``docs/reference/minidriver-inventory.toml``; its source is that of the rule. The checks know the
binary interface and nothing of what minidrivers are made of. Where sources are silent or disagree a
check accepts every answer that one of them allows.
"""

from vreader.minidriver.certify.check import Check, Part
from vreader.minidriver.certify.run import (
    PARTS,
    Certificate,
    Outcome,
    Result,
    certify,
    select,
)
from vreader.minidriver.certify.settings import Settings
from vreader.minidriver.certify.subject import Subject

__all__ = [
    "PARTS",
    "Certificate",
    "Check",
    "Outcome",
    "Part",
    "Result",
    "Settings",
    "Subject",
    "certify",
    "select",
]
