# SPDX-License-Identifier: Apache-2.0
"""A class in a Python file that somebody names: ``path/to/file.py:Class``."""

import os
from collections.abc import Callable

from vreader.errors import UsageError


def load_class(path: str, name: str) -> Callable[..., object]:
    """Run the Python file ``path`` and return its class ``name``.

    Raises:
        UsageError: there is no such file or class, or the file cannot be run.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - pathlib is slow to import
        raise UsageError(f"there is no file {path}", hint="write path/to/file.py:Class")
    found: object = getattr(_load_file(path), name, None)
    if not callable(found):
        raise UsageError(f"{path} has no class {name}", hint="check the spelling of the class")
    return found


def _load_file(path: str) -> object:
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location(
        "vreader_user_" + os.path.basename(path).removesuffix(".py"),  # noqa: PTH119
        path,
    )
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file", hint="write path/to/file.py:Class")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(
            f"{path} cannot be loaded: {what}",
            hint=f"run python {path} to see where it fails",
        ) from error
    return module
