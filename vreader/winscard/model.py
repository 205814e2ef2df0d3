# SPDX-License-Identifier: Apache-2.0
"""What the resource manager keeps: contexts, card handles, readers and their published state."""

from collections.abc import Callable
from typing import NamedTuple

from vreader.clock import Clock, Timer
from vreader.smclib.ioctl import Characteristics, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import Handle
from vreader.winscard.call import WaitQueue
from vreader.winscard.codes import SCARD


class ReaderStatus(NamedTuple):
    """A reader as applications see it.

    Attributes:
        name: UTF-8 text, at most 127 bytes.
        state: ABSENT without a card; NEGOTIABLE with a card that answered its reset (whether or
            not it still has power); SWALLOWED with a mute one; PRESENT after UNPOWER or EJECT;
            UNKNOWN while the reader cannot be reached.
        event_counter: one more per insertion and removal, 16 bits.
        sharing: 0 none, n > 0 shared connections, -1 exclusive.
        atr: raw bytes; empty without a card or with a mute one.
        protocol: the negotiated protocol, UNDEFINED before.
        powered: the card has power.
    """

    name: str
    state: CardState
    event_counter: int
    sharing: int
    atr: bytes
    protocol: Protocol
    powered: bool = True


class Context:
    """One SCARDCONTEXT.

    Attributes:
        serial: its calls come one after another, so that none can end a transaction while another
            waits for that.
        valid: False once it was released, or the service has stopped.
        failure: what calls on it answer when it is not valid.
    """

    __slots__ = ("failure", "handles", "id", "scope", "serial", "valid")

    def __init__(self, number: int, scope: int, serial: bool) -> None:
        self.id = number
        self.scope = scope
        self.serial = serial
        self.handles: dict[int, CardHandle] = {}
        self.valid = True
        self.failure = SCARD.E_INVALID_HANDLE


class CardHandle:
    """One SCARDHANDLE: an application's connection to a reader.

    Attributes:
        share: its ShareMode.
        event: what it has yet to learn about the card, W_RESET_CARD, W_REMOVED_CARD or
            W_UNPOWERED_CARD; None when it is up to date.
        open: False once disconnected; a call that waited meanwhile must not revive it.
        asked: since when, in order of asking, it waits for its turn; 0 when it does not.
        gave_up: when it last gave up waiting, on the host's clock.
    """

    __slots__ = ("asked", "context", "event", "gave_up", "id", "open", "reader", "share")

    def __init__(self, number: int, context: Context, reader: "Reader", share: int) -> None:
        self.id = number
        self.context = context
        self.reader = reader
        self.share = share
        self.event: SCARD | None = None
        self.open = True
        self.asked = 0
        self.gave_up = 0.0


class Place(WaitQueue):
    """The place of one call that waits for its turn.

    Attributes:
        handle: the call's.
        asked: where in the order of asking it stands.
    """

    __slots__ = ("asked", "handle")

    def __init__(self, handle: CardHandle, *, patient: bool) -> None:
        super().__init__(patient=patient)
        self.handle = handle
        self.asked = handle.asked


class Reader:
    """One reader device the manager has opened.

    Attributes:
        name: what applications see.
        base: the name without its index.
        device: the open device; closed while ``away``.
        characteristics: what its mechanics can do.
        arriving: it is being adopted; a card found in it now was there before.
        away: the handle is closed because the device may be about to be removed.
        gone: it was removed; its handles are dead.
        state, counter, sharing, atr, protocol, powered: as in ReaderStatus.
        pci: SCARD_IO_REQUEST of the protocol the driver has in force, empty before one is. It may
            differ from ``protocol``: an application can ask for RAW when T=1 is in force.
        card_in: the driver says that there is a card.
        insertion: counts insertions, so that an answer to an earlier card is recognised.
        handles: the connections to it.
        owner: the handle that holds the transaction, or the exclusive one.
        lock_count: nested transactions.
        turn: the call that may go on after it waited, and for the time being keeps others waiting.
        places: calls that wait for their turn, in the order of asking.
        asked: how many have ever waited.
        busy: the call that talks to the driver now.
        gate: calls that want to talk to the driver.
        timed: a transaction is in force that ends when nobody calls.
        touched: when the last call on it ended, where ``timed``.
        transaction_timer: looks whether the transaction is idle.
        idle_timer: pending automatic power-off.
        retry_timer: pending attempt to watch the card slot again.
        unregister: stop listening to what happens to the device.
    """

    # Read on the way of every APDU, and more of them than an instance dictionary is quick with.
    __slots__ = (
        "arriving", "asked", "atr", "away", "base", "busy", "card_in", "characteristics", "clock",
        "counter", "device", "gate", "gone", "handles", "idle_timer", "index", "insertion", "link",
        "lock_count", "name", "owner", "pci", "places", "powered", "protocol", "retry_timer",
        "sharing", "state", "timed", "touched", "transaction_timer", "turn", "unregister",
    )  # fmt: skip

    def __init__(
        self, name: str, base: str, index: int, link: str, device: Handle, clock: Clock
    ) -> None:
        self.name = name
        self.base = base
        self.index = index
        self.link = link
        self.device = device
        self.clock = clock
        self.characteristics = Characteristics.NONE
        self.arriving = True
        self.away = False
        self.gone = False
        self.state = CardState.ABSENT
        self.counter = 0
        self.sharing = 0
        self.atr = b""
        self.protocol = Protocol.UNDEFINED
        self.pci = b""
        self.powered = False
        self.card_in = False
        self.insertion = 0
        self.handles: dict[int, CardHandle] = {}
        self.owner: CardHandle | None = None
        self.lock_count = 0
        self.turn: Place | None = None
        self.places: list[Place] = []
        self.asked = 0
        self.busy = False
        self.gate = WaitQueue(patient=True)
        self.timed = False
        self.touched = 0.0
        self.transaction_timer: Timer | None = None
        self.idle_timer: Timer | None = None
        self.retry_timer: Timer | None = None
        self.unregister: Callable[[], None] = lambda: None

    @property
    def status(self) -> ReaderStatus:
        """A snapshot for applications."""
        return ReaderStatus(
            self.name,
            self.state,
            self.counter,
            self.sharing,
            self.atr,
            self.protocol,
            self.powered,
        )
