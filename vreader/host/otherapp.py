# SPDX-License-Identifier: Apache-2.0
"""Another application of this computer, which resets the card in a reader and goes again.

It does what any application may: it connects shared and disconnects with SCARD_RESET_CARD. So it
waits for the end of a transaction, and is refused where somebody has the reader for himself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.winscard.call import Call, Operation
from vreader.winscard.codes import Disposition, ScardError, ShareMode
from vreader.winscard.operations import connect, disconnect, release_context

if TYPE_CHECKING:
    from vreader.host.reader import HostReader
    from vreader.winscard.manager import ResourceManager

_SYSTEM = 2
_ANY_PROTOCOL = 3  # T=0 or T=1


def resets(rm: "ResourceManager", reader: "HostReader") -> Callable[[Callable[[], None]], None]:
    """Return the other application; see :data:`vreader.reader.hardware.Other`.

    Its calls are queued behind the one whose card works at this moment, before any later one.
    """

    def start(go_on: Callable[[], None]) -> None:
        Call(reader.io, _reset(rm, reader.name)).start()
        go_on()

    return start


def _reset(rm: "ResourceManager", name: str) -> Operation[None]:
    context = rm.establish_context(_SYSTEM)
    try:
        handle, _ = yield from connect(rm, context, name, ShareMode.SHARED, _ANY_PROTOCOL)
        yield from disconnect(rm, handle, Disposition.RESET)
    except ScardError:
        pass  # there is nobody to tell
    yield from release_context(rm, context)
