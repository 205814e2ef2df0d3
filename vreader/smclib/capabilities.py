# SPDX-License-Identifier: Apache-2.0
"""SmartcardUpdateCardCapabilities: what the library reads out of an ATR (1998 DDK, ISO 7816-3).

``PtsData.Type`` says with which parameters the card is to be driven: PTS_TYPE_DEFAULT with F=372
and D=1, PTS_TYPE_OPTIMAL with the fastest ones that both ends know. All times are for those. Where
the PPS for the optimal ones fails, a driver sets PTS_TYPE_DEFAULT, resets the card and calls again.
"""

from vreader.iso7816 import Atr, AtrError
from vreader.iso7816.atr import DI, FI, FMAX_KHZ
from vreader.smclib.ioctl import Protocol
from vreader.smclib.library import set_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import (
    BIT_RATE_ADJUSTMENT,
    CARD_PROTOCOL,
    CLOCK_RATE_CONVERSION,
    PTS_DATA,
    PTS_TYPE_DEFAULT,
    PTS_TYPE_OPTIMAL,
    PTS_TYPE_USER,
    RDF,
    SCARD_CARD_CAPABILITIES,
    SCARD_READER_CAPABILITIES,
    SMARTCARD_EXTENSION,
    T0_CAPS,
    T1_CAPS,
    T1_DATA,
)
from vreader.wdm import NTSTATUS

_BIT = {0: Protocol.T0, 1: Protocol.T1}
_DEFAULT_INDEX = 1  # of Fi and Di: F=372, D=1
_II_MA = (25, 50, 100, 50)  # by bits 7 and 6 of TB1; the last is reserved
_NO_EXTRA_GUARD_TIME = 255

CLOCK_RATE_CONVERSIONS = tuple(
    CLOCK_RATE_CONVERSION(f, fmax * 1000) if f and fmax else CLOCK_RATE_CONVERSION(0, 0)
    for f, fmax in zip(FI, FMAX_KHZ, strict=True)
)
BIT_RATE_ADJUSTMENTS = tuple(BIT_RATE_ADJUSTMENT(d or 0, 1 if d else 0) for d in DI)


def SmartcardUpdateCardCapabilities(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Parse ``CardCapabilities.ATR`` after a reset and move to NEGOTIABLE or SPECIFIC.

    The driver has filled ATR, inverse convention already turned over (SmartcardInvertData), and
    ``PtsData.Type``. An ATR the library cannot parse is offered to RDF_ATR_PARSE where the driver
    has one, which then fills what it can read.

    Returns:
        STATUS_SUCCESS, or STATUS_UNRECOGNIZED_MEDIA: the ATR is malformed, which includes a wrong
        TCK and reserved values of Fi and Di. The status of RDF_ATR_PARSE is the result where that
        was asked. Without success the card is treated as not powered.
    """
    ext.T1 = T1_DATA(NAD=ext.T1.NAD)
    try:
        atr = Atr.parse(ext.CardCapabilities.ATR)
    except AtrError:
        # Nothing of the last reset holds any more, its protocol above all.
        raw, pts = ext.CardCapabilities.ATR, ext.CardCapabilities.PtsData
        ext.CardCapabilities = SCARD_CARD_CAPABILITIES(ATR=raw, PtsData=pts)
        parse = ext.ReaderFunction[RDF.ATR_PARSE]
        status = NTSTATUS.UNRECOGNIZED_MEDIA if parse is None else parse(ext)
        if status is NTSTATUS.SUCCESS:
            return _negotiable(ext)
        set_state(ext, ReaderEvent.RESET_FAILED)
        return status
    card = capabilities_of(atr, ext.ReaderCapabilities, ext.CardCapabilities.PtsData)
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
        # Where the reader settles it there is nothing to refuse: the card's own word counts then.
        offered = protocol.Supported & ext.ReaderCapabilities.SupportedProtocols
        offered = offered or protocol.Supported
        preferred = (p for p in (Protocol.T1, Protocol.T0) if p & offered)
        protocol.Selected = next(preferred, Protocol.RAW)
    return status


def capabilities_of(
    atr: Atr,
    reader: SCARD_READER_CAPABILITIES | None = None,
    pts: PTS_DATA | None = None,
) -> SCARD_CARD_CAPABILITIES:
    """Return the capabilities an ATR announces, for a reader and a wish for parameters."""
    reader = reader or SCARD_READER_CAPABILITIES()
    pts = _parameters(atr, reader, pts or PTS_DATA())
    etu_us = (FI[pts.Fl] or 372) * 1000 / ((DI[pts.Dl] or 1) * pts.CLKFrequency)
    offered = Protocol.UNDEFINED
    for protocol in atr.protocols:
        offered |= _BIT.get(protocol, Protocol.UNDEFINED)
    if (fixed := atr.specific_mode) is not None:
        offered = _BIT.get(fixed, Protocol.UNDEFINED)
    ta1, tb1 = atr.find("TA", 1), atr.find("TB", 1)
    n = atr.find("TC", 1) or 0
    guard = 12 + n
    if n == _NO_EXTRA_GUARD_TIME:  # as little as the protocol allows; before SET_PROTOCOL: first
        guard = 11 if (atr.default_protocol if fixed is None else fixed) == 1 else 12
        pts.StopBits = guard - 10
    # T=0's waiting integer; 00 is reserved.
    t0 = T0_CAPS(WI=atr.find("TC", 2) or 10)
    t0.WT = round(t0.WI * 960 * (DI[pts.Dl] or 1) * etu_us)
    return SCARD_CARD_CAPABILITIES(
        ATR=atr.raw,
        HistoricalChars=atr.historical,
        InversConvention=atr.inverse,
        ClockRateConversion=CLOCK_RATE_CONVERSIONS,
        BitRateAdjustment=BIT_RATE_ADJUSTMENTS,
        Fl=_DEFAULT_INDEX if ta1 is None else ta1 >> 4,
        Dl=_DEFAULT_INDEX if ta1 is None else ta1 & 0xF,
        II=50 if tb1 is None else _II_MA[tb1 >> 5 & 3],
        P=atr.find("TB", 2) or (50 if tb1 is None else (tb1 & 0x1F) * 10),
        N=n,
        etu=round(etu_us),
        GT=round(guard * etu_us),
        PtsData=pts,
        Protocol=CARD_PROTOCOL(Supported=offered),
        T0=t0,
        T1=_t1_capabilities(atr, etu_us, pts.CLKFrequency),
    )


def _parameters(atr: Atr, reader: SCARD_READER_CAPABILITIES, wish: PTS_DATA) -> PTS_DATA:
    """Return the parameters to drive the card with; the type may turn out to be the default."""
    ta1, ta2 = atr.find("TA", 1), atr.find("TA", 2)
    default_khz, max_khz = reader.CLKFrequency
    if ta2 is not None:
        # Specific mode: TA1 holds at once, or, with bit 5, values only the card's issuer knows.
        optimal = ta1 is not None and not ta2 & 0x10
    else:
        optimal = ta1 is not None and wish.Type == PTS_TYPE_OPTIMAL
    if wish.Type == PTS_TYPE_USER and ta2 is None:
        kind, fl, dl = PTS_TYPE_USER, wish.Fl, wish.Dl
        if FI[fl] is None or DI[dl] is None:
            fl = dl = _DEFAULT_INDEX
    elif optimal and ta1 is not None:
        kind, fl, dl = PTS_TYPE_OPTIMAL, ta1 >> 4, ta1 & 0xF
    else:
        kind, fl, dl = PTS_TYPE_DEFAULT, _DEFAULT_INDEX, _DEFAULT_INDEX
    khz = default_khz
    if kind != PTS_TYPE_DEFAULT:
        clocks = reader.CLKFrequenciesSupported or (default_khz, max_khz)
        khz = max((c for c in clocks if c <= (FMAX_KHZ[fl] or 0)), default=default_khz)
    if kind == PTS_TYPE_OPTIMAL and ta2 is None:
        # PPS may ask for any D between 1 and the card's own (§9.2): the fastest the reader knows.
        slower = sorted((d, index) for index, d in enumerate(DI) if d and d <= (DI[dl] or 1))
        fits = [index for d, index in slower if _reaches(reader, _rate(khz, fl, d))]
        if fits:
            dl = fits[-1]
        else:
            kind, fl, dl, khz = PTS_TYPE_DEFAULT, _DEFAULT_INDEX, _DEFAULT_INDEX, default_khz
    rate = _rate(khz, fl, DI[dl] or 1)
    return PTS_DATA(Type=kind, Fl=fl, Dl=dl, CLKFrequency=khz, DataRate=rate)


def _rate(khz: int, fl: int, d: int) -> int:
    """Return bits per second."""
    return round(khz * 1000 * d / (FI[fl] or 372))


def _reaches(reader: SCARD_READER_CAPABILITIES, rate: int) -> bool:
    if reader.DataRatesSupported:
        return rate in reader.DataRatesSupported
    return rate <= reader.DataRate[1]


def _t1_capabilities(atr: Atr, etu_us: float, khz: int) -> T1_CAPS:
    """T=1 values: the first group of bytes that belongs to T=1 (ISO 7816-3 §11.4)."""
    found: dict[str, int] = {}
    for byte in atr.interface_bytes:
        if byte.protocol == 1 and byte.number > 2:
            found.setdefault(byte.kind, byte.value)
    caps = T1_CAPS()
    caps.IFSC = found.get("TA", 32)
    if caps.IFSC in (0x00, 0xFF):  # reserved
        caps.IFSC = 32
    tb = found.get("TB", 0x4D)
    caps.BWI, caps.CWI = tb >> 4, tb & 0xF
    caps.EDC = found.get("TC", 0) & 1
    caps.CWT = round((11 + 2**caps.CWI) * etu_us)
    caps.BWT = round(11 * etu_us + 2**caps.BWI * 960 * 372_000 / khz)
    caps.BGT = round(22 * etu_us)
    return caps
