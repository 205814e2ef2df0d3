# SPDX-License-Identifier: Apache-2.0
"""The resource manager's semantics as a value: check orders, error tables and options.

A profile says in which order a call checks what, which code a Win32 error becomes, and what is done
where Windows and pcsc-lite differ. The functions that do the work hold no ``if profile``.
"""

from vreader.winscard.profile.pcsclite import PCSCLITE
from vreader.winscard.profile.rules import Check, Errors, Operation, RmProfile
from vreader.winscard.profile.windows import WINDOWS, WINDOWS_7

PROFILES: dict[str, RmProfile] = {p.name: p for p in (PCSCLITE, WINDOWS, WINDOWS_7)}

__all__ = [
    "PCSCLITE",
    "PROFILES",
    "WINDOWS",
    "WINDOWS_7",
    "Check",
    "Errors",
    "Operation",
    "RmProfile",
]
