# SPDX-License-Identifier: Apache-2.0
"""What pyscard's compiled part takes as arguments: lists of integers, strings, tuples.

It refuses what it does not take with TypeError, bytes in the place of a list for example. So do we:
else a program would pass its tests and fail on the machine of whoever uses it.
"""

from typing import Any, NoReturn
from uuid import UUID

from vreader.winscard.codes import ReaderFlag
from vreader.winscard.status_change import ReaderState

_INTEGERS = {int, bool}
_GUID_LENGTH = 16
_UNCHANGED = 0xFFFFFFFF ^ ReaderFlag.CHANGED.value


def octets(value: Any) -> bytes:  # noqa: ANN401 - whatever a program gives
    """Return a list of integers as bytes; of each the low eight bits count."""
    if not isinstance(value, list):
        _refuse("Expected a list object.")
    if not set(map(type, value)) <= _INTEGERS and not all(isinstance(item, int) for item in value):
        _refuse("Expected a list of bytes.")
    try:
        return bytes(value)
    except ValueError:
        return bytes(item & 0xFF for item in value)


def string(value: Any) -> str:  # noqa: ANN401
    """Return a string."""
    return value if isinstance(value, str) else _refuse("Expected a string.")


def strings(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return a list of strings."""
    if not isinstance(value, list):
        _refuse("Expected a list object.")
    if not all(isinstance(item, str) for item in value):
        _refuse("Expected a list of strings.")
    return tuple(value)


def number(value: Any) -> int:  # noqa: ANN401
    """Return an integer as 32 bits without a sign."""
    if not isinstance(value, int):
        _refuse("Expected a python integer or long.")
    return value & 0xFFFFFFFF


def guids(value: Any) -> list[UUID]:  # noqa: ANN401
    """Return GUIDs; they come as one list of integers, 16 for each (``smartcard.guid``)."""
    raw = octets(value)
    if len(raw) % _GUID_LENGTH:
        _refuse("Invalid GUID list size.")
    starts = range(0, len(raw), _GUID_LENGTH)
    return [UUID(bytes_le=raw[start : start + _GUID_LENGTH]) for start in starts]


def states(value: Any) -> list[ReaderState]:  # noqa: ANN401
    """Return reader states; they come as ``(name, state)`` or ``(name, state, atr)``."""
    if not isinstance(value, list):
        _refuse("Expected a list object.")
    return [_state(item) for item in value]


def _state(item: Any) -> ReaderState:  # noqa: ANN401
    if not isinstance(item, tuple):
        _refuse("Expected a list of tuples.")
    if len(item) not in (2, 3):
        _refuse("Expecting two or three items in tuple.")
    if not isinstance(item[0], str):
        _refuse("Expected a string as reader name.")
    if not isinstance(item[1], int):
        _refuse("Expected an Int as second tuple item.")
    if len(item) > 2 and not isinstance(item[2], list):
        _refuse("Expected a list as third tuple item.")
    # pyscard's framework hands states back as it got them.
    return ReaderState(item[0], item[1] & _UNCHANGED)


def _refuse(reason: str) -> NoReturn:
    raise TypeError(reason)
