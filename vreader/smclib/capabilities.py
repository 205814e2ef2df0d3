# SPDX-License-Identifier: Apache-2.0
"""SmartcardUpdateCardCapabilities: what the library reads out of an ATR (1998 DDK, ISO 7816-3)."""

from vreader.iso7816 import Atr, AtrError
from vreader.smclib.ioctl import Protocol
from vreader.smclib.library import set_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import (
    CARD_PROTOCOL,
    RDF,
    SCARD_CARD_CAPABILITIES,
    SMARTCARD_EXTENSION,
    T0_CAPS,
    T1_CAPS,
)
from vreader.wdm import NTSTATUS

_BIT = {0: Protocol.T0, 1: Protocol.T1}


def SmartcardUpdateCardCapabilities(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Parse ``CardCapabilities.ATR`` after a reset and move to NEGOTIABLE or SPECIFIC.

    An ATR the library cannot parse is offered to RDF_ATR_PARSE where the driver has one.

    Returns:
        STATUS_SUCCESS, or STATUS_UNRECOGNIZED_MEDIA: the ATR is malformed; the card is then
        treated as not powered.
    """
    try:
        atr = Atr.parse(ext.CardCapabilities.ATR)
    except AtrError:
        parse = ext.ReaderFunction[RDF.ATR_PARSE]
        if parse is not None and parse(ext) is NTSTATUS.SUCCESS:
            return _negotiable(ext)
        set_state(ext, ReaderEvent.RESET_FAILED)
        return NTSTATUS.UNRECOGNIZED_MEDIA
    card = capabilities_of(atr)
    ext.CardCapabilities = card
    if (fixed := atr.specific_mode) is not None and fixed in _BIT:
        card.Protocol.Selected = _BIT[fixed]
        return set_state(ext, ReaderEvent.RESET_SPECIFIC)
    return _negotiable(ext)


def _negotiable(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """No TA2: the protocol is still to be chosen, unless the profile leaves nothing to choose."""
    status = set_state(ext, ReaderEvent.RESET_NEGOTIABLE)
    if ext.ReaderCapabilities.CurrentState is CardState.SPECIFIC:
        protocol = ext.CardCapabilities.Protocol
        offered = protocol.Supported & ext.ReaderCapabilities.SupportedProtocols
        preferred = (p for p in (Protocol.T1, Protocol.T0) if p & offered)
        protocol.Selected = next(preferred, Protocol.RAW)
    return status


def capabilities_of(atr: Atr) -> SCARD_CARD_CAPABILITIES:
    """Return the capabilities an ATR announces; times in µs at the ATR's own default clock."""
    tc1 = atr.find("TC", 1) or 0
    etu_us = 372 * 1000 / 4000  # before any PPS: Fd=372, Dd=1 at 4 MHz
    supported = Protocol.UNDEFINED
    for protocol in atr.protocols:
        supported |= _BIT.get(protocol, Protocol.UNDEFINED)
    if (fixed := atr.specific_mode) is not None:
        supported = _BIT.get(fixed, Protocol.UNDEFINED)
    wi = atr.find("TC", 2)
    t0 = T0_CAPS(WI=10 if wi is None else wi)
    t0.WT = round(t0.WI * 960 * etu_us)
    t1 = _t1_capabilities(atr, etu_us)
    guard = 12 + (0 if tc1 == 255 else tc1)
    return SCARD_CARD_CAPABILITIES(
        ATR=atr.raw,
        HistoricalChars=atr.historical,
        InversConvention=atr.inverse,
        Fl=(atr.find("TA", 1) or 0x11) >> 4,
        Dl=(atr.find("TA", 1) or 0x11) & 0xF,
        N=tc1,
        etu=round(etu_us),
        GT=round(guard * etu_us),
        Protocol=CARD_PROTOCOL(Supported=supported),
        T0=t0,
        T1=t1,
    )


def _t1_capabilities(atr: Atr, etu_us: float) -> T1_CAPS:
    """T=1 values: the first group of bytes that belongs to T=1 (ISO 7816-3 §11.4)."""
    found: dict[str, int] = {}
    for byte in atr.interface_bytes:
        if byte.protocol == 1 and byte.number > 2:
            found.setdefault(byte.kind, byte.value)
    caps = T1_CAPS()
    caps.IFSC = found.get("TA", 32)
    tb = found.get("TB", 0x4D)
    caps.BWI, caps.CWI = tb >> 4, tb & 0xF
    caps.EDC = found.get("TC", 0) & 1
    caps.CWT = round((11 + 2**caps.CWI) * etu_us)
    caps.BWT = round(11 * etu_us + 2**caps.BWI * 960 * 372 / 4)
    caps.BGT = round(22 * etu_us)
    return caps
