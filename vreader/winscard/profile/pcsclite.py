# SPDX-License-Identifier: Apache-2.0
"""pcsc-lite's daemon, read off the behaviour of 1.9.9."""

from vreader.winscard.codes import SCARD
from vreader.winscard.profile.rules import Check, Operation, RmProfile, errors, joined

_W, _S, _R, _C = Check.WAIT, Check.SHARING, Check.READER, Check.CARD
_E = (Check.RESET, Check.REMOVED)
_HEX = frozenset("0123456789ABCDEF")


def pcsclite_name(vendor: str, ifd_type: str, index: int) -> str:
    """Return pcsc-lite's form: ``Vendor Type II SS``, index and slot in hex."""
    return joined(vendor, ifd_type, f"{index:02X}", "00")


def pcsclite_base_name(name: str) -> str:
    """Return the name without `` II SS`` at its end."""
    *rest, index, slot = name.rsplit(" ", 2) if name.count(" ") > 1 else ("", "", "")
    numbered = all(len(part) == 2 and _HEX.issuperset(part) for part in (index, slot))
    return rest[0] if numbered else name


_UNPOWERED, _MUTE, _FAILED = (
    SCARD.W_UNPOWERED_CARD,
    SCARD.W_UNRESPONSIVE_CARD,
    SCARD.E_NOT_TRANSACTED,
)
_NONE, _UNSUPPORTED, _MISMATCH = (
    SCARD.E_NO_SMARTCARD,
    SCARD.E_UNSUPPORTED_FEATURE,
    SCARD.E_PROTO_MISMATCH,
)

PCSCLITE = RmProfile(
    name="pcsclite",
    # Control and Reconnect do not look at events.
    checks={
        "connect": (_W, _R),
        "reconnect": (_S, _R),
        "disconnect": (),
        "dispose": (_W,),
        "begin": (_R, *_E, _W),
        "end": (*_E, _S),
        "transmit": (_S, _R, *_E, _C),
        "status": (_S, *_E, _R),
        "control": (_S, _R),
        "attribute": (_S, _R, *_E),
    },
    errors={
        Operation.POWER: errors(
            no_media=_NONE, timeout=_UNPOWERED, unusable=_UNPOWERED, unsupported=_UNPOWERED,
            other=_UNPOWERED,
        ),
        Operation.RESET: errors(
            no_media=_NONE, timeout=_MUTE, unusable=_MUTE, unsupported=_MUTE, other=_MUTE
        ),
        Operation.SET_PROTOCOL: errors(
            no_media=_NONE, timeout=_MUTE, unusable=_MUTE, unsupported=_MISMATCH, other=_MISMATCH
        ),
        Operation.TRANSMIT: errors(
            no_media=_NONE, timeout=_FAILED, unusable=_FAILED, unsupported=_FAILED, other=_FAILED
        ),
        Operation.CONTROL: errors(
            no_media=_NONE, timeout=_FAILED, unusable=_FAILED, unsupported=_UNSUPPORTED,
            other=_FAILED,
        ),
        Operation.ATTRIBUTE: errors(
            no_media=_UNSUPPORTED, timeout=_FAILED, unusable=_FAILED, unsupported=_UNSUPPORTED,
            other=_FAILED,
        ),
        Operation.EJECT: errors(
            no_media=_NONE, timeout=_FAILED, unusable=_FAILED, unsupported=_UNSUPPORTED,
            other=_FAILED,
        ),
    },
    reader_name=pcsclite_name,
    base_name=pcsclite_base_name,
    legacy_any_protocol=0x1000,
)  # fmt: skip
