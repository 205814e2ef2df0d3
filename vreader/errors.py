# SPDX-License-Identifier: Apache-2.0
"""The error a person sees: one line of what went wrong, one line of what to do next."""

from collections.abc import Iterable


class VreaderError(Exception):
    """A failure that the user can do something about.

    A traceback says the hint below the message.

    Attributes:
        hint: what to do next, one line; empty when nothing sensible can be said.
        exit_code: what the command line returns: 1 check failed, 2 usage, 3 environment.
    """

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 3) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code
        if hint:
            self.add_note(f"hint: {hint}")

    def rename(self, old: str, new: str) -> None:
        """Say ``new`` wherever it says ``old``."""
        self.args = (str(self).replace(old, new),)
        self.hint = self.hint.replace(old, new)
        notes: list[str] = getattr(self, "__notes__", [])
        notes[:] = [note.replace(old, new) for note in notes]


class UsageError(VreaderError):
    """Something typed is wrong: an unknown card, a malformed value, a missing file."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, exit_code=2)


# Below it a short word is like any other: pin and pnp, slot and hist.
_NEAR = 0.7


def near(word: str, known: Iterable[str], least: float = _NEAR) -> str:
    """Return a hint with the known word that was probably meant, or nothing.

    Args:
        word: what was typed.
        known: what there is.
        least: how alike the two must be, 0 to 1.
    """
    from difflib import get_close_matches

    found = get_close_matches(word, known, 1, least)
    return f"did you mean {found[0]}?" if found else ""
