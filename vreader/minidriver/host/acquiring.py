# SPDX-License-Identifier: Apache-2.0
"""CryptAcquireContext under the Base CSP: which container is meant, and who must say a PIN.

With a flag that makes, deletes or needs no container the user's PIN is always asked for (WDK
"Developer Guidelines"). Combinations that CryptAcquireContext's page excludes are NTE_BAD_FLAGS.
"""

from enum import IntFlag
from typing import Final

from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.choosing import choose_container
from vreader.minidriver.host.containers import Container
from vreader.winscard.codes import SCARD


class AcquireFlag(IntFlag):
    """CRYPT_* of wincrypt.h; CRYPT_SILENT is ``BaseCsp(silent=True)``."""

    NEWKEYSET = 0x8
    DELETEKEYSET = 0x10
    DEFAULT_CONTAINER_OPTIONAL = 0x80
    VERIFYCONTEXT = 0xF0000000


_FLAGS: Final = frozenset(AcquireFlag.__members__.values())  # one of several bits is not iterated


def acquire(csp: BaseCsp, container: str | int | None, flags: int) -> Container | None:
    """Acquire a context, in a transaction.

    Args:
        csp: the host; the KSP has no such function.
        container: name or index; None for the default one.
        flags: one of :class:`AcquireFlag`, or 0 for a container that is there.

    Returns:
        The container. None for VERIFYCONTEXT, for a new one, which is made with its first key, for
        a deleted one, and for DEFAULT_CONTAINER_OPTIONAL on a card without a default container.

    Raises:
        MinidriverError: NTE_NOT_SUPPORTED under the KSP, NTE_BAD_FLAGS, NTE_EXISTS,
            SCARD_E_NO_KEY_CONTAINER; what presenting the PIN does.
    """
    if csp.ksp:
        raise MinidriverError(NTE.NOT_SUPPORTED)
    if not flags:
        return choose_container(csp, container)
    if flags not in _FLAGS:
        raise MinidriverError(NTE.BAD_FLAGS)
    named = flags in (AcquireFlag.NEWKEYSET, AcquireFlag.DELETEKEYSET)
    if named is (container is None):
        raise MinidriverError(NTE.BAD_FLAGS)
    if named:
        csp.files.writable()
    csp.pins.require(Role.USER, always=True)
    if flags == AcquireFlag.VERIFYCONTEXT:
        return None
    found = [
        one
        for one in csp.containers.listed()
        if (container in (one.number, one.name) if named else one.default)
    ]
    if flags == AcquireFlag.NEWKEYSET and found:
        raise MinidriverError(NTE.EXISTS)
    if flags == AcquireFlag.DELETEKEYSET:
        if not found:
            raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)
        csp.containers.delete(found[0].number)
        return None
    return found[0] if found else None
