# SPDX-License-Identifier: Apache-2.0
"""A minidriver DLL that registers itself: DllRegisterServer, really called.

A module up to version 4 of the specification exports CardAcquireContext, DllMain,
DllRegisterServer and DllUnregisterServer and makes its own entry in the registry (SDK "Smart Card
Modules"). Since version 5 nobody calls the two; an INF does the work (WDK "Minidriver
Registration").
"""

from typing import Final, NamedTuple

from vreader.errors import VreaderError
from vreader.minidriver.dll.module import DllModule
from vreader.minidriver.module import DllReason
from vreader.pairing.machine import Machine
from vreader.winscard.cardtypes import CardType, CardTypes

LAST_VERSION: Final = 4  # of the specification, in which a module registers itself
REGISTER, UNREGISTER = "DllRegisterServer", "DllUnregisterServer"
EXPORTS: Final = ("CardAcquireContext", "DllMain", REGISTER, UNREGISTER)


class Registered(NamedTuple):
    """What a call has done.

    Attributes:
        function: that was called.
        code: the HRESULT it returned; 0 is success.
        missing: exports of a module of version 4 that the DLL has not.
        added, changed, removed: entries of the card database.
    """

    function: str
    code: int
    missing: tuple[str, ...]
    added: tuple[CardType, ...] = ()
    changed: tuple[CardType, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """The call succeeded and has done something; no export is missing."""
        did = self.removed if self.function == UNREGISTER else self.added + self.changed
        return not self.code and not self.missing and bool(did)


def register(machine: Machine, module: DllModule, *, undo: bool = False) -> Registered:
    """Have a DLL register itself, or with ``undo`` unregister.

    Args:
        machine: whose registry it writes to, through its resource manager.
        module: made with that machine's SCard functions.
        undo: call DllUnregisterServer.

    Raises:
        UsageError: the DLL does not export the function.
        VreaderError: it refuses to be loaded, crashes or hangs.
    """
    if not module.DllMain(DllReason.PROCESS_ATTACH):
        raise VreaderError(
            f"{module.path.name} cannot be loaded",
            hint="DllMain refuses, or a DLL that it needs is missing",
        )
    missing = tuple(name for name in EXPORTS if name != "DllMain" and name not in module.exports)
    before = _entries(machine)
    code = module.unregister() if undo else module.register()
    after = _entries(machine)
    return Registered(
        UNREGISTER if undo else REGISTER,
        code,
        missing,
        tuple(entry for name, entry in after.items() if name not in before),
        tuple(entry for name, entry in after.items() if name in before and entry != before[name]),
        tuple(name for name in before if name not in after),
    )


def _entries(machine: Machine) -> dict[str, CardType]:
    return {entry.name: entry for entry in CardTypes(machine.view).list()}
