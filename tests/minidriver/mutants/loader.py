# SPDX-License-Identifier: Apache-2.0
"""Loads the minidriver of this folder afresh, with one line of one file changed."""

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import vreader.minidriver.rules

HERE = Path(__file__).parent
RULES = Path(vreader.minidriver.rules.__file__).parent
RULES_NAME = "vreader.minidriver.rules"
# In the order in which they import each other.
ORDER = [
    RULES_NAME,
    *(f"{RULES_NAME}.{name}" for name in ("base", "files", "keys", "pins", "properties")),
    f"{RULES_NAME}.checked",
    *("memory", "memory.keys", "memory.card", "memory.base", "memory.files", "memory.pins"),
    *("memory.properties", "memory.containers", "memory.crypto", "memory.injection"),
    "memory.module",
]
ONCE = ("memory", "memory.keys")


def path_of(name):
    """Return the file of a module."""
    if name.startswith(RULES_NAME):
        tail = name.removeprefix(RULES_NAME).lstrip(".") or "__init__"
        return RULES / f"{tail}.py"
    return HERE / "memory" / f"{name.partition('.')[2] or '__init__'}.py"


@cache
def source(name):
    """Return the source of a module."""
    return path_of(name).read_text(encoding="utf-8")


@cache
def _code(name, text):
    return compile(text, str(path_of(name)), "exec")


def load(changed="", old="", new=""):
    """Return (MemoryModule, MemoryCard) with one line changed.

    Raises:
        ValueError: the line does not stand in the file exactly once.
    """
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    for name in ONCE:
        import_module(name)
    before = {name: sys.modules.get(name) for name in ORDER}
    parent = sys.modules["vreader.minidriver"]
    rules = parent.rules
    made = {}
    try:
        for name in ORDER:
            if name in ONCE:
                continue
            text = source(name)
            if name == changed:
                text = change(text, old, new)
            module = made[name] = ModuleType(name)
            module.__file__ = str(path_of(name))
            if name == RULES_NAME:
                module.__path__ = [str(RULES)]
            sys.modules[name] = module
            exec(_code(name, text), module.__dict__)
            if name.startswith(RULES_NAME + "."):
                setattr(made[RULES_NAME], name.rpartition(".")[2], module)
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        parent.rules = rules
    return made["memory.module"].MemoryModule, made["memory.card"].MemoryCard


def change(text, old, new):
    """Return a text with one line changed; ``old`` may say which, with lines before it."""
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in the file")
    changed = sum(a != b for a, b in zip(old.splitlines(), new.splitlines(), strict=True))
    if changed != 1:
        raise ValueError(f"{changed} lines of {old!r} are changed")
    return text.replace(old, new)
