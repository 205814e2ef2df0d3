# SPDX-License-Identifier: Apache-2.0
"""What vpicc's modules, and cards written for it, say: to people, not among a program's data.

They print, and some ask with ``input()``. Both names are replaced in their modules alone: the
output of the process and its other threads stays what it is.
"""

import sys
from types import ModuleType
from typing import Any, NoReturn

PACKAGE = "virtualsmartcard"
_known = 0
_say = print


def muzzle(*modules: ModuleType) -> None:
    """Do so in ``modules``, and in those of vpicc that were imported since the last time."""
    global _known
    if modules or len(sys.modules) != _known:
        _known = len(sys.modules)
        for name, module in list(sys.modules.items()):
            if name == PACKAGE or name.startswith(f"{PACKAGE}."):
                modules = (*modules, module)
        for module in modules:
            module.__dict__.setdefault("print", _print)
            module.__dict__.setdefault("input", _input)


def _print(*values: object, **options: Any) -> None:  # noqa: ANN401 - those of print
    if options.get("file") is None:
        options["file"] = sys.stderr
    if options["file"] is not None:
        _say(*values, **options)


def _input(prompt: object = "") -> NoReturn:
    raise EOFError(f"nobody answers a card that asks {str(prompt)!r}")
