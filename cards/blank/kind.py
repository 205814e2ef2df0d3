# SPDX-License-Identifier: Apache-2.0
"""A card without applications: it says who it is, and refuses everything else as it is told to.

What Windows makes of a card depends on its historical bytes, on data object 7F68, and on the status
words with which it refuses applications it does not have; all three are options here.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cards.platform.kind import AppletKind
from vreader.card import Card, Description
from vreader.errors import UsageError
from vreader.iso7816 import SW

if TYPE_CHECKING:
    from cards.platform import AppletCard, Nvm

_ATRS = {
    "both": bytes.fromhex("3B80800101"),
    "t0": bytes.fromhex("3B00"),
    "t1": bytes.fromhex("3B800181"),
}
_REFUSALS = {"select-sw": SW.FILE_NOT_FOUND, "other-sw": SW.INS_NOT_SUPPORTED}


class BlankKind(AppletKind):
    """Cards without applications; a :class:`vreader.card.KeepingKind`."""

    name = "blank"
    summary = "card without applications: ATR, historical bytes and Plug and Play as you like"
    aids: Sequence[bytes] = (bytes.fromhex("A0000003974349445F0100"),)
    PROFILES: Mapping[str, str] = {
        "both": "offers T=0 and T=1, no historical bytes",
        "t0": "offers T=0 alone",
        "t1": "offers T=1 alone",
    }
    OPTIONS: Mapping[str, str] = {
        "select-sw": "answer to a SELECT of an application it does not have [6A82]",
        "other-sw": "answer to other commands [6D00]",
    }

    def initialise(
        self, nvm: "Nvm", profile: str, options: Mapping[str, str], seed: bytes | None
    ) -> None:
        """Keep the two status words."""
        for name, default in _REFUSALS.items():
            sw = _status_word(name, options[name]) if name in options else default
            nvm.area("blank").put(name, sw.to_bytes2())

    def build(self, nvm: "Nvm", profile: str) -> "AppletCard":
        """Return the card over an initialised memory."""
        area = nvm.area("blank")
        unknown, unselected = (
            SW(int.from_bytes(area.get(name) or default.to_bytes2()))
            for name, default in _REFUSALS.items()
        )
        return self.assemble(nvm, _ATRS[profile], tuple, unknown=unknown, unselected=unselected)

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return the status words."""
        from cards.platform.card import AppletCard

        assert isinstance(card, AppletCard), "a card of this kind"
        area = card.nvm.area("blank")
        return [
            ("answer to SELECT", (area.get("select-sw") or b"").hex().upper()),
            ("answer to others", (area.get("other-sw") or b"").hex().upper()),
        ]

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain what Windows sends to find out what a card is."""
        from cards.platform.pnp import describe

        return describe(c_apdu)


def _status_word(name: str, text: str) -> SW:
    try:
        value = int(text, 16) if len(text) == 4 and text.isalnum() else 0
    except ValueError:
        value = 0
    if value >> 12 not in (6, 9) or value >> 8 in (0x60, 0x61, 0x6C):
        raise UsageError(
            f"{name}={text} is not a status word a card can always answer",
            hint=f"for example {name}=6D00",
        )
    return SW(value)


KIND = BlankKind()
