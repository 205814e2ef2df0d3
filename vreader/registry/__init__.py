# SPDX-License-Identifier: Apache-2.0
"""The simulated registry: keys, typed values, .reg files. Pure data; it knows no driver."""

from vreader.registry.names import NameRefusedError, RegistryError
from vreader.registry.store import (
    Key,
    KeyNotFoundError,
    KeyRefusedError,
    Registry,
    ValueNotFoundError,
)
from vreader.registry.values import (
    REG_BINARY,
    REG_DWORD,
    REG_EXPAND_SZ,
    REG_MULTI_SZ,
    REG_NONE,
    REG_QWORD,
    REG_SZ,
    Value,
)

__all__ = [
    "REG_BINARY",
    "REG_DWORD",
    "REG_EXPAND_SZ",
    "REG_MULTI_SZ",
    "REG_NONE",
    "REG_QWORD",
    "REG_SZ",
    "Key",
    "KeyNotFoundError",
    "KeyRefusedError",
    "NameRefusedError",
    "Registry",
    "RegistryError",
    "Value",
    "ValueNotFoundError",
]
