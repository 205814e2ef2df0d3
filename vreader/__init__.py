# SPDX-License-Identifier: Apache-2.0
"""vreader: virtual smart card readers and cards for real PC/SC programs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vreader.world import World

__version__ = "0.1.0"
__all__ = ["__version__", "world"]


def world(*cards: str, **options: Any) -> "World":  # noqa: ANN401 - those of World, typed there
    """Build a private smart card world; use it as a context manager.

    It remembers its last events, for :meth:`vreader.world.World.report`.

    Args:
        *cards: a SPEC for each reader, such as ``"piv"``; none is one PIV card.
        **options: as :class:`vreader.world.World` has them.
    """
    from vreader.world import World, completed

    return World(cards, **completed(options))
