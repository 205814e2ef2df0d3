# SPDX-License-Identifier: Apache-2.0
"""What the resource manager keeps: contexts, card handles, readers and their published state."""

from enum import Enum
from typing import NamedTuple

from vreader.clock import Timer
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.wdm import Handle
from vreader.winscard.call import WaitQueue


class CardEvent(Enum):
    """What has happened to a card since a handle last looked."""

    NONE = 0
    RESET = 1
    REMOVED = 2


class ReaderStatus(NamedTuple):
    """A reader as applications see it.

    Attributes:
        name: UTF-8 text, at most 127 bytes.
        state: ABSENT without a card; NEGOTIABLE with a card that answered its reset (whether or
            not it still has power); SWALLOWED with a mute one; PRESENT after UNPOWER.
        event_counter: one more per insertion and removal, 16 bits.
        sharing: 0 none, n > 0 shared connections, -1 exclusive.
        atr: raw bytes; empty without a card or with a mute one.
        protocol: the negotiated protocol, UNDEFINED before.
    """

    name: str
    state: CardState
    event_counter: int
    sharing: int
    atr: bytes
    protocol: Protocol


class Context:
    """One SCARDCONTEXT."""

    __slots__ = ("handles", "id", "scope", "valid")

    def __init__(self, number: int, scope: int) -> None:
        self.id = number
        self.scope = scope
        self.handles: dict[int, CardHandle] = {}
        self.valid = True


class CardHandle:
    """One SCARDHANDLE: an application's connection to a reader.

    Attributes:
        share: its ShareMode.
        event: what it has yet to learn about the card.
        open: False once disconnected; a call that waited meanwhile must not revive it.
    """

    __slots__ = ("context", "event", "id", "open", "reader", "share")

    def __init__(self, number: int, context: Context, reader: "Reader", share: int) -> None:
        self.id = number
        self.context = context
        self.reader = reader
        self.share = share
        self.event = CardEvent.NONE
        self.open = True


class Reader:
    """One reader device the manager has opened.

    Attributes:
        name: what applications see.
        base: the name without its index.
        device: the open device.
        arriving: it is being adopted; a card found in it now was there before.
        gone: it was removed; its handles are dead.
        state, counter, sharing, atr, protocol: as in ReaderStatus.
        pci: SCARD_IO_REQUEST of the protocol the driver has in force, empty before one is. It may
            differ from ``protocol``: an application can ask for RAW when T=1 is in force.
        powered: the card has power and has been reset.
        card_in: the driver says that there is a card.
        insertion: counts insertions, so that an answer to an earlier card is recognised.
        handles: the connections to it.
        owner: the handle that holds the transaction, or the exclusive one.
        lock_count: nested transactions.
        busy: the call that talks to the driver now.
        gate: calls that want to talk to the driver.
        transactions: BeginTransactions that wait for the transaction to end.
        connecting: Connects and Disconnects that wait for it, as long as it takes.
        idle_timer: pending automatic power-off.
    """

    def __init__(self, name: str, base: str, index: int, link: str, device: Handle) -> None:
        self.name = name
        self.base = base
        self.index = index
        self.link = link
        self.device = device
        self.arriving = True
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
        self.busy = False
        self.gate = WaitQueue(patient=True)
        self.transactions = WaitQueue(patient=False)
        self.connecting = WaitQueue(patient=True)
        self.idle_timer: Timer | None = None

    @property
    def status(self) -> ReaderStatus:
        """A snapshot for applications."""
        return ReaderStatus(
            self.name, self.state, self.counter, self.sharing, self.atr, self.protocol
        )
