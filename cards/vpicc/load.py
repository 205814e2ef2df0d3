# SPDX-License-Identifier: Apache-2.0
"""Finds vpicc where its user has installed it, and makes its cards."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from cards.vpicc.card import METHODS, VpiccCard
from cards.vpicc.muzzle import PACKAGE, muzzle
from vreader.classfile import load_class
from vreader.errors import UsageError, VreaderError

# Debian's package installs here, where no Python looks.
DEBIAN_PATH = "/usr/lib/python3/site-packages/virtualsmartcard"


def own_card(name: str) -> VpiccCard:
    """Make a card of vpicc's own, as ``vicc --type NAME`` does; raises VreaderError."""
    main = _import(f"{PACKAGE}.VirtualSmartcard")
    generator = _import(f"{PACKAGE}.CardGenerator").CardGenerator
    systems: dict[str, Callable[..., Any]] = {
        "iso7816": lambda: main.Iso7816OS(*generator("iso7816").getCard()),
        "cryptoflex": lambda: _import(f"{PACKAGE}.cards.cryptoflex").CryptoflexOS(
            *generator("cryptoflex").getCard()
        ),
    }
    return VpiccCard(_made(systems[name], f"vpicc's {name} card"))


def card_of_class(text: str, options: Mapping[str, str]) -> VpiccCard:
    """Make a card of ``file.py:Class``, called with the options; raises VreaderError."""
    path, _, name = text.rpartition(":")
    _import(f"{PACKAGE}.VirtualSmartcard")
    made = load_class(path, name)
    module = sys.modules.get(getattr(made, "__module__", ""))
    if module is not None:
        muzzle(module)
    system = _made(lambda: made(**options), f"{name} of {path}")
    missing = [method for method in METHODS if not callable(getattr(system, method, None))]
    if missing:
        raise UsageError(
            f"{name} of {path} is no card of vpicc: it has no {', '.join(missing)}",
            hint=f"derive it from {PACKAGE}.VirtualSmartcard.SmartcardOS",
        )
    return VpiccCard(system)


def _made(make: Callable[[], Any], what: str) -> Any:  # noqa: ANN401 - the object of another package
    muzzle()
    try:
        return make()
    except VreaderError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{what} cannot be made: {type(error).__name__}: {error}",
            hint="the keys of the card are passed to its class as keyword arguments",
        ) from error


def _import(name: str) -> Any:  # noqa: ANN401 - the module of another package
    try:
        module = import_module(name)
    except (Exception, SystemExit) as error:
        raise VreaderError(
            f"a vpicc card needs vpicc, which cannot be imported: {error}", hint=_hint(error)
        ) from None
    muzzle()
    return module


def _hint(error: BaseException) -> str:
    missing = getattr(error, "name", None)
    if missing in ("Crypto", "sha"):
        return "vpicc needs PyCrypto's successor: pip install pycryptodome"
    if missing != PACKAGE:
        return f"see what python -c 'import {PACKAGE}.VirtualSmartcard' says"
    if os.path.isdir(DEBIAN_PATH):  # noqa: PTH112 - pathlib is slow to import
        return f"Debian's package is not where Python looks: export PYTHONPATH={DEBIAN_PATH}"
    return (
        "apt install vsmartcard-vpicc, then export "
        f"PYTHONPATH={DEBIAN_PATH}; or let vicc connect: --card vpcd-listen:35963"
    )
