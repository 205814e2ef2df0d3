# SPDX-License-Identifier: Apache-2.0
"""Somebody's minidriver in Python, whose mistakes are told as theirs.

A function that raises what no minidriver may, or returns what it must not, ends in a VreaderError
that names the function and the line, rather than in a traceback through the host.
"""

import traceback
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any

from vreader.errors import VreaderError
from vreader.minidriver.abi.functions import ACQUIRE_CONTEXT
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.module import Module
from vreader.minidriver.traced import Traced
from vreader.winscard.codes import ScardError

CHECK_FAILED = 1


class Guarded(Traced):
    """A module around another one; its calls are told, too."""

    def tell(
        self,
        name: str,
        parameters: tuple[str, ...],
        function: Callable[..., Any],
        values: tuple[Any, ...],
    ) -> Any:  # noqa: ANN401 - the function's own
        """Call a function; raises VreaderError for a mistake in it."""
        try:
            result = super().tell(name, parameters, function, values)
        except (MinidriverError, ScardError, VreaderError):
            raise
        except (Exception, SystemExit) as error:  # sys.exit() ends no more than the call
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise VreaderError(
                f"{name} raises {what} ({last.filename}:{last.lineno})",
                hint="a function of a minidriver fails with MinidriverError alone",
                exit_code=CHECK_FAILED,
            ) from error
        if not any(_fits(result, hint) for hint in _hints(name)):
            wanted = " or ".join(map(_told, _hints(name)))
            raise VreaderError(
                f"{name} returns {_found(result)}, not {wanted}",
                hint=f"see vreader.minidriver.interface.Minidriver.{name}",
                exit_code=CHECK_FAILED,
            )
        return result


@cache
def _hints(name: str) -> tuple[Any, ...]:
    """Return what a function's result may be, as its signature says."""
    owner: type = Module if name in ("DllMain", ACQUIRE_CONTEXT.name) else Minidriver
    hint = typing.get_type_hints(getattr(owner, name))["return"]
    union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    return typing.get_args(hint) if union else (hint,)


def returned(name: str) -> tuple[type, ...]:
    """Return the types of which a function's result may be."""
    return tuple(typing.get_origin(one) or one for one in _hints(name))


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401 - list[str] and the like are no types
    """Tell whether a value is what a hint says; what is in a list or a tuple counts."""
    kind, of = typing.get_origin(hint), typing.get_args(hint)
    if kind is list:
        return isinstance(value, list) and all(isinstance(one, of[0]) for one in value)
    if kind is tuple:
        pair = isinstance(value, tuple) and len(value) == len(of)
        return pair and all(map(isinstance, typing.cast("tuple[object, ...]", value), of))
    return isinstance(value, hint)


def _told(hint: Any) -> str:  # noqa: ANN401
    """Return the name of a type or of None."""
    return str(hint) if typing.get_origin(hint) else hint.__name__.replace("NoneType", "None")


def _found(value: object) -> str:
    """Return the type of a value, for a list or a tuple with those of what is in it."""
    name = type(value).__name__
    if not isinstance(value, list | tuple):
        return name
    inside = sorted({type(one).__name__ for one in value})
    return f"{name} with {' and '.join(inside)}" if inside else name
