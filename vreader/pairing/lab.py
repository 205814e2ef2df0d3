# SPDX-License-Identifier: Apache-2.0
"""Libraries the lab needs beyond what every reader and card does: the extra ``lab``."""

from importlib import import_module
from typing import Any

from vreader.errors import UsageError


def lab(name: str) -> Any:  # noqa: ANN401 - a module, whose types need not be installed
    """Import a module of the extra ``lab``; raises UsageError where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise UsageError(
            f"this needs {name.partition('.')[0]}: {error}", hint=_hint(name.partition(".")[0])
        ) from None


def _hint(package: str) -> str:
    # Clusters are their owners' choice, and too large to install unasked.
    return f"pip install {package}" if package in ("dask", "ray") else "pip install 'vreader[lab]'"
