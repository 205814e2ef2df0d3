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
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = " ".join(f"{type(error).__name__}: {error}".split())
            raise VreaderError(
                f"{name} raises {what} ({last.filename}:{last.lineno})",
                hint="a function of a minidriver fails with MinidriverError alone",
                exit_code=CHECK_FAILED,
            ) from error
        if not any(isinstance(result, one) for one in returned(name)):
            wanted = " or ".join(one.__name__.replace("NoneType", "None") for one in returned(name))
            raise VreaderError(
                f"{name} returns {type(result).__name__}, not {wanted}",
                hint=f"see vreader.minidriver.interface.Minidriver.{name}",
                exit_code=CHECK_FAILED,
            )
        return result


@cache
def returned(name: str) -> tuple[type, ...]:
    """Return the types of which a function's result may be."""
    owner: type = Module if name in ("DllMain", ACQUIRE_CONTEXT.name) else Minidriver
    hint = typing.get_type_hints(getattr(owner, name))["return"]
    union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    hints = typing.get_args(hint) if union else (hint,)
    return tuple(typing.get_origin(one) or one for one in hints)
