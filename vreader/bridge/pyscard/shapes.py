# SPDX-License-Identifier: Apache-2.0
"""How pyscard's compiled part answers: a code alone, or a list of the code and what there is.

Bytes are lists of integers. A failure never raises: it has a code, and empty values behind it.
"""

from collections.abc import Callable, Sequence
from copy import copy
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from vreader.bridge.pyscard.numbers import Numbers
from vreader.host.scard import ScardApi
from vreader.winscard.codes import ScardError
from vreader.winscard.status_change import ReaderState

Answer = list[Any]  # the code, then what the function returns
State = tuple[str, int, list[int]]  # a reader's name, its state, the ATR

_LONGEST_ATR = 36
_EMPTY = "empty"  # attribute of a function: its values where it fails


class Shaped:
    """A resource manager and the numbers in which it is told of.

    Args:
        api: the resource manager.
        numbers: those of the machine's pyscard.
    """

    def __init__(self, api: ScardApi, numbers: Numbers) -> None:
        self.numbers = numbers
        self._api = api


P = ParamSpec("P")
S = TypeVar("S", bound=Shaped)


def code(function: Callable[Concatenate[S, P], object]) -> Callable[Concatenate[S, P], int]:
    """Have a function return the code alone."""

    @wraps(function)
    def answering(self: S, /, *args: P.args, **kwargs: P.kwargs) -> int:
        try:
            function(self, *args, **kwargs)
        except ScardError as error:
            return self.numbers.code(error.code)
        return 0

    answering.__dict__[_EMPTY] = ()
    return answering


def values(
    *empty: Any,  # noqa: ANN401 - 0, "" or []
) -> Callable[[Callable[Concatenate[S, P], Answer]], Callable[Concatenate[S, P], Answer]]:
    """Have a function return the code and its values; ``empty`` ones where it fails."""

    def made(
        function: Callable[Concatenate[S, P], Answer],
    ) -> Callable[Concatenate[S, P], Answer]:
        @wraps(function)
        def answering(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
            try:
                return [0, *function(self, *args, **kwargs)]
            except ScardError as error:
                return [self.numbers.code(error.code), *map(copy, empty)]

        answering.__dict__[_EMPTY] = empty
        return answering

    return made


def failing(function: Callable[..., object], code: int) -> int | Answer:
    """Return what a function answers when it fails with a code."""
    empty = vars(function).get(_EMPTY, ([],))
    return [code, *map(copy, empty)] if empty else code


def told(states: Sequence[ReaderState]) -> list[State]:
    """Return reader states as a program gets them."""
    return [
        (state.reader, int(state.event_state), list(state.atr[:_LONGEST_ATR])) for state in states
    ]
