# SPDX-License-Identifier: Apache-2.0
"""Loading pyscard, also one whose compiled part is missing."""

import importlib
import importlib.util
import sys
from types import ModuleType

from vreader.errors import UsageError

SCARD, NATIVE = "smartcard.scard.scard", "smartcard.scard._scard"


def load() -> ModuleType:
    """Return the module ``smartcard.scard.scard``.

    Where the compiled part is missing, one of ours takes its place for good: outside of our worlds
    it has no service.

    Raises:
        UsageError: pyscard is not installed.
    """
    if importlib.util.find_spec("smartcard") is None:
        raise UsageError("pyscard is not installed", hint="pip install 'vreader[pcsc]'")
    try:
        return importlib.import_module(SCARD)
    except ImportError as error:
        if not str(error.name or error).endswith("scard"):
            raise  # something else is wrong with it
    return _load_uncompiled()


def _load_uncompiled() -> ModuleType:
    from vreader.bridge.pyscard.pure import make_native, make_wrappers

    sys.modules[NATIVE] = native = make_native()
    try:
        module = importlib.import_module(SCARD)
    except ImportError:
        sys.modules[SCARD] = module = make_wrappers(native)
        importlib.import_module("smartcard.scard")
    return module
