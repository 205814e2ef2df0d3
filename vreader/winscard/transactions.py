# SPDX-License-Identifier: Apache-2.0
"""BeginTransaction, EndTransaction, and what becomes of a transaction in which nobody calls."""

from typing import TYPE_CHECKING

from vreader.smclib.ioctl import Power
from vreader.winscard import power
from vreader.winscard.access import (
    check,
    end_lock,
    end_turn,
    enter_gate,
    is_taken,
    leave,
    release_lock,
    wait_for_turn,
)
from vreader.winscard.call import Operation
from vreader.winscard.codes import SCARD, Disposition, ScardError
from vreader.winscard.connections import dispose
from vreader.winscard.events import TransactionExpired
from vreader.winscard.model import CardHandle, Reader

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

_RESET = (SCARD.W_RESET_CARD, SCARD.W_UNPOWERED_CARD)
_DISPOSITIONS = frozenset(map(int, Disposition))
_LEAVE = Disposition.LEAVE


def begin_transaction(rm: "ResourceManager", handle: CardHandle) -> Operation[None]:
    """SCardBeginTransaction; may be nested."""
    reader = handle.reader
    check(rm, "begin", handle)
    if is_taken(reader, handle):
        yield from wait_for_turn(rm, "begin", handle)
        try:
            check(rm, "begin", handle)
        except ScardError:
            end_turn(reader)
            raise
        reader.turn = None  # the transaction takes its place
    reader.owner = handle
    reader.lock_count += 1
    if rm.profile.transaction_idle_s is not None:
        _watch(rm, reader, rm.profile.transaction_idle_s)


def end_transaction(rm: "ResourceManager", handle: CardHandle, disposition: int) -> Operation[None]:
    """SCardEndTransaction; RESET and UNPOWER let every handle learn of it, this one too."""
    if disposition not in _DISPOSITIONS:
        raise ScardError(SCARD.E_INVALID_VALUE)
    reader = handle.reader
    try:
        check(rm, "end", handle)
    except ScardError as error:
        if rm.profile.reset_ends_transaction and error.code in _RESET and reader.owner is handle:
            end_lock(reader)
        raise
    failed: ScardError | None = None
    if disposition != _LEAVE:
        yield from enter_gate(reader)
        try:
            check(rm, "end", handle)
            yield from _dispose(rm, reader, disposition)
        except ScardError as error:
            failed = error  # a card that does not come back ends the transaction all the same
        finally:
            leave(reader)
    exclusive = reader.sharing < 0
    if reader.owner is handle and reader.lock_count > exclusive:
        _end_one(reader, exclusive)
    elif failed is None:
        raise ScardError(SCARD.E_NOT_TRANSACTED)
    if failed is not None:
        raise failed


def _end_one(reader: Reader, exclusive: bool) -> None:
    """End the innermost transaction."""
    reader.lock_count -= 1
    if not reader.lock_count:
        release_lock(reader)
    elif reader.lock_count == exclusive:
        reader.timed = False
    elif reader.timed:
        reader.touched = reader.clock.now()


def _dispose(rm: "ResourceManager", reader: Reader, disposition: int) -> Operation[None]:
    """Do what EndTransaction asks; after UNPOWER the card may be up again."""
    if disposition == Disposition.UNPOWER and rm.profile.end_unpower_cycles and reader.card_in:
        yield from power.power_down(rm, reader)
        yield from power.reset(rm, reader, Power.COLD_RESET)
    else:
        yield from dispose(rm, reader, disposition)


# ------------------------------------------------------------------ the idle transaction


def _watch(rm: "ResourceManager", reader: Reader, seconds: float) -> None:
    """Look after ``seconds`` whether somebody has called meanwhile.

    One timer serves any number of transactions: it is left running when one ends.
    """
    reader.timed, reader.touched = True, reader.clock.now()
    if reader.transaction_timer is None:
        _look_at(rm, reader, seconds, reader.touched + seconds)


def _look_at(rm: "ResourceManager", reader: Reader, seconds: float, when: float) -> None:
    def due() -> None:
        reader.transaction_timer = None
        if not reader.timed or reader.gone:
            return
        now = reader.clock.now()
        idle_since = now if reader.busy else reader.touched
        if now < idle_since + seconds:
            _look_at(rm, reader, seconds, idle_since + seconds)
        else:
            rm.start(_time_out(rm, reader))

    reader.transaction_timer = reader.clock.call_at(when, due)


def _time_out(rm: "ResourceManager", reader: Reader) -> Operation[None]:
    """Reset the card under a transaction that nobody uses."""
    owner = reader.owner
    if rm.events:
        rm.events.emit(TransactionExpired(reader.name))
    yield from enter_gate(reader)
    try:
        if reader.owner is owner and reader.card_in:
            yield from power.reset(rm, reader, Power.WARM_RESET)
    except ScardError:
        pass  # a card that does not answer: whoever calls next is told
    finally:
        if reader.owner is owner:  # else another transaction has begun meanwhile
            reader.timed = False
            if rm.profile.reset_ends_transaction:
                end_lock(reader)
        leave(reader)
