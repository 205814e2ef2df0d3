# SPDX-License-Identifier: Apache-2.0
"""pyscard's compiled part without a compiler: its constants, and functions that have no service.

For a machine where the part was never built: what pyscard has in Python then works in our worlds,
and outside of them there is no resource manager.
"""

import sys
from types import ModuleType

from vreader.bridge.pcsclite import wire
from vreader.smclib.ioctl import Attr, Protocol
from vreader.winscard.codes import SCARD, Disposition, ReaderFlag, ShareMode

WINDOWS = sys.platform == "win32"
# LONG has 32 bits there, and codes are below zero.
SIGNED = WINDOWS or sys.platform == "darwin" or sys.maxsize < 1 << 32

_RAW = int(Protocol.RAW) if WINDOWS else wire.PROTOCOL_RAW
_BOTH = int(Protocol.T0 | Protocol.T1)
_DISPOSITIONS = {
    "SCARD_LEAVE_CARD": Disposition.LEAVE,
    "SCARD_RESET_CARD": Disposition.RESET,
    "SCARD_UNPOWER_CARD": Disposition.UNPOWER,
    "SCARD_EJECT_CARD": Disposition.EJECT,
}
_SUB_TYPES = {"win32": "winscard-win32", "darwin": "pcsclite-lion"}
_OTHERS = {
    "SCARD_SCOPE_USER": 0,
    "SCARD_SCOPE_TERMINAL": 1,
    "SCARD_SCOPE_SYSTEM": 2,
    "SCARD_PROTOCOL_UNSET": 0,
    "SCARD_PROTOCOL_UNDEFINED": 0,
    "SCARD_PROTOCOL_OPTIMAL": 0,
    "SCARD_PROTOCOL_T0": 1,
    "SCARD_PROTOCOL_T1": 2,
    "SCARD_PROTOCOL_RAW": _RAW,
    "SCARD_PROTOCOL_T15": 8,
    "SCARD_PROTOCOL_ANY": _BOTH,
    "SCARD_PROTOCOL_Tx": _BOTH,
    "SCARD_PROTOCOL_DEFAULT": int(Protocol.DEFAULT) if WINDOWS else _BOTH,
    "SCARD_PCI_T0": 1,
    "SCARD_PCI_T1": 2,
    "SCARD_PCI_RAW": 4,
    "SCARD_PROVIDER_PRIMARY": 1,
    "SCARD_PROVIDER_CSP": 2,
    "SCARD_ATTR_ASYNC_PROTOCOL_TYPES": 0x00030120,
    "SCARD_ATTR_SYNC_PROTOCOL_TYPES": 0x00030126,
    "SCARD_ATTR_DEVICE_FRIENDLY_NAME": int(Attr.DEVICE_FRIENDLY_NAME_A),
    "SCARD_ATTR_DEVICE_SYSTEM_NAME": int(Attr.DEVICE_SYSTEM_NAME_A),
    "ERROR_ALREADY_EXISTS": 183,
    "ERROR_INVALID_HANDLE": 6,
    "INFINITE": 0x7FFFFFFF,
}


def make_native() -> ModuleType:
    """Return what stands for ``smartcard.scard._scard``."""
    module = ModuleType("smartcard.scard._scard", __doc__)
    names = module.__dict__
    names.update({f"SCARD_{code.name}": _number(code) for code in SCARD})
    if not WINDOWS:
        names["SCARD_E_UNSUPPORTED_FEATURE"] = names["SCARD_E_UNEXPECTED"]
    names["SCARD_P_SHUTDOWN"] = int(SCARD.P_SHUTDOWN)
    names["INVALID_HANDLE"] = int(SCARD.E_INVALID_HANDLE)
    names.update({f"SCARD_ATTR_{tag.name}": int(tag) for tag in Attr})
    flags = ReaderFlag.__members__.items()  # with UNAWARE, which is no bit
    names.update({f"SCARD_STATE_{name}": int(flag) for name, flag in flags})
    names.update({f"SCARD_SHARE_{mode.name}": int(mode) for mode in ShareMode})
    names.update({name: int(value) for name, value in _DISPOSITIONS.items()})
    names.update(_OTHERS)
    names["resourceManager"] = "winscard" if WINDOWS else "pcsclite"
    names["resourceManagerSubType"] = _SUB_TYPES.get(sys.platform, "pcsclite-linux")
    names["error"] = type("error", (Exception,), {"__module__": "scard"})
    names["SCARD_CTL_CODE"] = _ctl_code
    names["SCardGetErrorMessage"] = _error_message
    names["SCardEstablishContext"] = lambda dwscope: [_number(SCARD.E_NO_SERVICE), 0]
    return module


def make_wrappers(native: ModuleType) -> ModuleType:
    """Return what stands for ``smartcard.scard.scard``, which is made when pyscard is compiled."""
    from vreader.bridge.pyscard.functions import Functions

    module = ModuleType("smartcard.scard.scard", __doc__)
    public = {name: value for name, value in vars(native).items() if not name.startswith("_")}
    module.__dict__.update(public, _scard=native)
    for name in dir(Functions):
        if name.startswith("SCard"):
            module.__dict__[name] = _wrapper(module, name)
    return module


def _wrapper(module: ModuleType, name: str) -> object:
    def wrapper(*args: object) -> object:
        return getattr(module.__dict__["_scard"], name)(*args)

    wrapper.__name__ = wrapper.__qualname__ = name
    return wrapper


def _number(code: int) -> int:
    return code - (1 << 32) if SIGNED and code >= 1 << 31 else int(code)


def _ctl_code(code: int) -> int:
    return 0x310000 | code << 2 if WINDOWS else 0x42000000 + code


def _error_message(code: int) -> str:
    try:
        return f"{SCARD(code & 0xFFFFFFFF).text}."
    except ValueError:
        return f"Unknown error: 0x{code & 0xFFFFFFFF:08X}"
