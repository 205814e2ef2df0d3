# SPDX-License-Identifier: Apache-2.0
"""The options that every card has: how it introduces itself, whatever applications it carries.

They are kept in the area ``card`` of the memory, beside the kind and the profile. Imported with
every start of the tool, so everything heavy is imported where it is needed.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vreader.errors import UsageError

if TYPE_CHECKING:
    from cards.platform.applet import Application
    from cards.platform.nvm import Area

OPTIONS: Mapping[str, str] = {
    "atr": "answer to reset in hex, handed out as it is",
}


def write(area: "Area", options: Mapping[str, str]) -> None:
    """Keep what the options say; raises UsageError for a value that cannot be used."""
    if "atr" in options:
        area.put("atr", _hex(options["atr"], "atr"))


def atr(area: "Area", default: bytes) -> bytes:
    """Return the card's answer to reset: its own, or the profile's."""
    return area.get("atr") or default


def applications(area: "Area") -> "Sequence[Application]":
    """Return the applications that the options added."""
    return ()


def _hex(text: str, name: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if not value:
        raise UsageError(f"{name} must be bytes in hex", hint=f"for example {name}=3B80800101")
    return value
