# SPDX-License-Identifier: Apache-2.0
"""Whether PC/SC clients see that a card has come or gone: who inserts and removes waits for that.

An onlooker is called before a card moves, and returns what to call after: that waits until the
resource manager's clients can see it, and returns nothing, or why they cannot. Our own resource
manager learns of a card at once, while the card is inserted; pcscd looks every 0.4 s.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol

from vreader.errors import VreaderError
from vreader.smclib.states import CardState

if TYPE_CHECKING:
    from vreader.bridge.pcsclite.client import PcscClient
    from vreader.bridge.pcsclite.wire import ReaderState
    from vreader.bridge.serialccid.door import SerialCcidDoor
    from vreader.bridge.vpcd.card_end import VpcdDoor
    from vreader.bridge.vpcd.pcscd import PrivatePcscd
    from vreader.host import Host
    from vreader.world.desk import Place

Wait = Callable[[], str]
Onlooker = Callable[["Place", bool], Wait]
"""Called with the place and whether a card comes (else it goes)."""


class Clients(Protocol):
    """Clients of our resource manager, of one door."""

    def wait_until_looked(self, timeout_s: float) -> bool:
        """Wait until those that wait for a change have seen what has come of it."""


SEEN_S = 10.0
# A client that waits looks at once, unless it is stopped, by a debugger say.
_LOOKED_S = 0.5
# Somebody else's pcscd may not be the one that we serve.
_FOREIGN_S = 5.0
_DIALED_S = 1.0
_LOOK_S = 0.1


def nobody(_place: "Place", _comes: bool) -> Wait:
    """Look at nothing, wait for nothing."""
    return lambda: ""


def own_manager(host: "Host", clients: Sequence[Clients] = ()) -> Onlooker:
    """Return the onlooker of our own resource manager, and of its ``clients``, also later ones.

    Those that wait for a change at that moment have looked before the wait ends, so that none
    misses a card that goes and comes at once.
    """

    def watch(place: "Place", comes: bool) -> Wait:
        def wait() -> str:
            if host.nested:
                return ""  # called from inside the host, which publishes it when that is done
            if not _published(host, place.name, comes):
                gone = "the card" if comes else "that the card has gone"
                raise _unseen(f"the resource manager does not see {gone}", place)
            for each in clients:
                each.wait_until_looked(_LOOKED_S)
            return ""

        return wait

    return watch


def _published(host: "Host", name: str, comes: bool) -> bool:
    """Wait until the resource manager publishes the card, or that there is none.

    It mostly does already. Else another thread is at work with the reader.
    """
    changed = threading.Event()

    def done() -> bool:
        reader = None if host.rm is None else host.rm.readers.get(name)
        # Of a reader that is away nothing is to be seen.
        if reader is None or reader.state is CardState.UNKNOWN:
            return True
        return (reader.state is not CardState.ABSENT) is comes

    def begin() -> Callable[[], None] | None:
        return None if host.rm is None or done() else host.rm.add_listener(changed.set)

    stop = host.run(begin)
    if stop is None:
        return True
    try:
        deadline = time.monotonic() + SEEN_S
        while not host.run(done):
            if not changed.wait(max(0.0, deadline - time.monotonic())):
                return False
            changed.clear()
    finally:
        host.run(stop)
    return True


def private_pcscd(
    pcscd: "PrivatePcscd", serving: Mapping[str, "VpcdDoor | SerialCcidDoor"]
) -> Onlooker:
    """Return the onlooker of a pcscd of our own whose readers ``serving`` serves, by name."""

    def watch(place: "Place", comes: bool) -> Wait:
        door, name = serving[place.name], place.name
        if comes:
            # It may still believe in the card before, and would see no difference.
            pcscd.wait_until_moved(name, present=False, timeout_s=SEEN_S)
            door.forget_failure()

        def wait() -> str:
            pcscd.wait_until_moved(
                name, present=comes, timeout_s=SEEN_S, hopeless=lambda: comes and door.card_failure
            )
            if not comes:
                door.noticed()
                return ""
            return _powerless(door.card_failure)

        return wait

    return watch


def _powerless(failure: str) -> str:
    """Say what a card means to programs that gave no ATR, or nothing of one that did."""
    if not failure:
        return ""
    return f"PC/SC programs may not see it: the card cannot be powered up: {failure}"


def foreign_pcscd(socket: str, serving: Mapping[str, "VpcdDoor"]) -> Onlooker:
    """Return the onlooker of somebody else's pcscd, where ``socket`` reaches it.

    Which of its readers is ours shows by the ATR, and by what moves when our card does.
    """
    known: dict[str, str] = {}  # name of the place -> pcscd's name of its reader

    def watch(place: "Place", comes: bool) -> Wait:
        door = serving[place.name]
        if comes:
            door.forget_failure()
        atr = door.atr  # of the card that is to go
        try:
            with closing(_client(socket)) as client:
                before = {state.name: state for state in client.readers()}
        except VreaderError as error:
            why = f"whether pcscd sees it is not known: {error}"
            return lambda: why

        def moved(state: "ReaderState") -> bool:
            old = before.get(state.name)
            if place.name in known and known[place.name] != state.name:
                return False
            if old is not None and old.event_counter == state.event_counter:
                return False
            if comes:
                return bool(state.atr) and state.atr == door.atr
            return old is not None and old.atr == atr

        def wait() -> str:
            if not comes and not (atr and any(state.atr == atr for state in before.values())):
                return ""  # it has not seen the card in the first place
            began = time.monotonic()
            try:
                with closing(_client(socket)) as client:
                    states = client.readers()
                    while not (found := [state.name for state in states if moved(state)]):
                        if comes and (failure := door.card_failure):
                            return _powerless(failure)
                        waited = time.monotonic() - began
                        # At first it may be that of the card before.
                        if comes and door.failure is not None and waited > _DIALED_S:
                            return f"PC/SC programs do not see it: {door.failure[0]}"
                        if waited > _FOREIGN_S:
                            return f"the pcscd at {socket} does not see it: is it another one?"
                        states = client.get_status_change(states, _LOOK_S)
            except VreaderError as error:
                return f"whether pcscd sees it is not known: {error}"
            if len(found) == 1:
                known[place.name] = found[0]
            if not comes:
                door.noticed()
            return ""

        return wait

    return watch


def _client(socket: str) -> "PcscClient":
    from vreader.bridge.pcsclite.client import PcscClient
    from vreader.bridge.pcsclite.probe import probe_reader_slots

    return PcscClient(socket, reader_slots=probe_reader_slots().slots, timeout_s=_FOREIGN_S)


def _unseen(what: str, place: "Place") -> VreaderError:
    return VreaderError(
        f"{what} in {place.name} within {SEEN_S:g} s",
        hint="a command may still be at work in this reader; 'vreader ctl list' shows its state",
    )
