# SPDX-License-Identifier: Apache-2.0
"""Windows' resource manager (SCardSvr), after Microsoft's documentation.

What that leaves open follows what programs have been seen to get, or the meaning of a code's text;
docs/reference/rm-profiles.md says which. Semantics of an older version differ in named options:
a profile of its own here, or one ``_replace`` away.
"""

from vreader.winscard.codes import SCARD, ReaderFlag, Win32
from vreader.winscard.profile.rules import Check, Errors, Operation, RmProfile, errors, joined
from vreader.winscard.status_change import StatusRules

MAXIMUM_SMARTCARD_READERS = 10
CACHE_ITEM_BYTES = 0x10000

_W, _S, _R, _C = Check.WAIT, Check.SHARING, Check.READER, Check.CARD
_E = (Check.REMOVED, Check.RESET)


def windows_name(vendor: str, ifd_type: str, index: int) -> str:
    """Return Windows' form: ``Vendor Type 0``."""
    return joined(vendor, ifd_type, str(index))


def windows_base_name(name: str) -> str:
    """Return the name without the number at its end."""
    base, _, index = name.rpartition(" ")
    return base if base and index.isdecimal() else name


_MUTE, _STRANGE, _REMOVED = (
    SCARD.W_UNRESPONSIVE_CARD,
    SCARD.W_UNSUPPORTED_CARD,
    SCARD.W_REMOVED_CARD,
)
_STUCK, _MISMATCH = SCARD.E_CANT_DISPOSE, SCARD.E_PROTO_MISMATCH
_AS_IT_IS: Errors = {int(error): error for error in Win32}

WINDOWS = RmProfile(
    name="windows",
    checks={
        "connect": (_W, _R),
        "reconnect": (_W, _R),
        "disconnect": (),
        "dispose": (_W,),
        "begin": (_R, *_E, _W),
        "end": (*_E, _S),
        "transmit": (_W, _R, *_E, _C),
        "status": (_R, *_E),
        "control": (_W, _R),
        "attribute": (_W, _R),
    },
    errors={
        Operation.POWER: errors(
            no_media=SCARD.E_NO_SMARTCARD, timeout=_MUTE, unusable=_STRANGE,
            unsupported=SCARD.E_READER_UNSUPPORTED, other=_MUTE,
        ),
        Operation.RESET: errors(
            no_media=_REMOVED, timeout=_MUTE, unusable=_STRANGE,
            unsupported=SCARD.E_READER_UNSUPPORTED, other=_MUTE,
        ),
        Operation.SET_PROTOCOL: errors(
            no_media=_REMOVED, timeout=_MUTE, unusable=_STRANGE, unsupported=_MISMATCH,
            other=_MISMATCH,
        ),
        Operation.TRANSMIT: errors(
            no_media=_REMOVED, timeout=None, unusable=_STRANGE, unsupported=None, other=None
        ),
        Operation.CONTROL: _AS_IT_IS,
        Operation.ATTRIBUTE: _AS_IT_IS,
        Operation.EJECT: errors(
            no_media=_REMOVED, timeout=_STUCK, unusable=_STUCK, unsupported=_STUCK, other=_STUCK
        ),
    },
    reader_name=windows_name,
    base_name=windows_base_name,
    no_card={"reconnect": _REMOVED, "transmit": _REMOVED},
    scopes=3,
    names_ignore_case=True,
    max_readers=MAXIMUM_SMARTCARD_READERS,
    raw_is_free=False,
    direct_is_exclusive=True,
    standard_control=True,
    transaction_idle_s=5.0,
    reset_ends_transaction=True,
    reconnect_ends_transaction=True,
    end_unpower_cycles=False,
    unpower_code=SCARD.W_UNPOWERED_CARD,
    reset_hides_removal=False,
    exit_always_resets=True,
    caller_asks_again=False,
    threads_share_contexts=True,
    stops_without_readers=True,
    database=True,
    cache_item_bytes=CACHE_ITEM_BYTES,
    tells_in_use=True,
    dead_handle=SCARD.E_READER_UNAVAILABLE,
    status=StatusRules(
        compared=~(ReaderFlag.IGNORE | ReaderFlag.CHANGED | ReaderFlag.ATRMATCH),
        counter_always=True,
        tells_unpowered=True,
        sharing_needs_card=True,
        left=ReaderFlag.UNKNOWN | ReaderFlag.IGNORE,
        pnp_counts_readers=True,
    ),
)  # fmt: skip

# Windows 7 and Server 2008 R2: a reset by another is learnt from SCardStatus, not from
# BeginTransaction (SDK SCardBeginTransaction), and the service does not depend on readers.
WINDOWS_7 = WINDOWS._replace(
    name="windows-7",
    checks={**WINDOWS.checks, "begin": (_R, Check.REMOVED, _W)},
    stops_without_readers=False,
)
