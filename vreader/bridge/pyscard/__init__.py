# SPDX-License-Identifier: Apache-2.0
"""pyscard in this process: our resource manager in the place of its compiled part.

Every SCard* function of pyscard looks ``_scard`` up in ``smartcard.scard.scard`` when it is called.
That is the one seam: what is put there serves the raw layer, the framework and both monitors, and
nothing else of pyscard is touched but its singletons, which would carry things from one resource
manager to the other. No socket, no libpcsclite: this works on any system.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vreader.host.scard import ScardApi


@contextmanager
def stand_in(api: "ScardApi") -> Iterator[None]:
    """Let pyscard use a resource manager of ours while the block runs.

    Blocks may be nested: the innermost one counts for what is new, and contexts and connections
    stay with the resource manager they were made with. At the end everything is as it was: what
    waits is cancelled, monitors that were started inside have ended, contexts are released, and
    connections that live longer are not connected any more.

    Args:
        api: the functions of a host, as :attr:`vreader.world.World.scard` has them.

    Raises:
        UsageError: there is no pyscard, or one that cannot be helped.
    """
    from vreader.bridge.pyscard.seam import the_seam

    seam = the_seam()
    level = seam.enter(api)
    try:
        yield
    finally:
        seam.leave(level)
