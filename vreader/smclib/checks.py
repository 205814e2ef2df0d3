# SPDX-License-Identifier: Apache-2.0
"""What the driver library looks at before it calls a driver back: the buffers, then the state.

Each request has one check. A check changes nothing but MinorIoControlCode, which is the callback's
to read.
"""

from collections.abc import Callable

from vreader.smclib.ioctl import IO_REQUEST, IO_REQUEST_SIZE, Ioctl, Power, Protocol
from vreader.smclib.library import next_state
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS
from vreader.wdm.irp import IO_STACK_LOCATION

Check = Callable[[SMARTCARD_EXTENSION, IO_STACK_LOCATION, bytearray], NTSTATUS]

# On the way of every request, and dear to look up in Python 3.11: see vreader.wdm.irp.
_SUCCESS, _SPECIFIC = NTSTATUS.SUCCESS, CardState.SPECIFIC

_KNOWN_PROTOCOLS = Protocol.T0 | Protocol.T1 | Protocol.RAW


def _refusal(ext: SMARTCARD_EXTENSION, event: ReaderEvent) -> NTSTATUS:
    """Return the status with which the state table refuses ``event`` now, or SUCCESS."""
    outcome = next_state(ext, event)
    return outcome if isinstance(outcome, NTSTATUS) else _SUCCESS


def _no_check(ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray) -> NTSTATUS:
    return NTSTATUS.SUCCESS


def _check_power(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> NTSTATUS:
    if location.InputBufferLength != 4:
        return NTSTATUS.INVALID_PARAMETER
    minor = int.from_bytes(buffer[:4], "little")
    if minor > Power.WARM_RESET:
        return ext.Profile.bad_power_minor
    ext.MinorIoControlCode = minor
    if minor == Power.POWER_DOWN:
        if not ext.Profile.power_down_supported:
            return NTSTATUS.NOT_SUPPORTED
        return _refusal(ext, ReaderEvent.POWER_DOWN)
    if location.OutputBufferLength < ext.Profile.reset_output_minimum:
        return ext.Profile.short_buffer
    return _refusal(ext, ReaderEvent.RESET_NEGOTIABLE)


def _check_set_protocol(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> NTSTATUS:
    if location.InputBufferLength != 4:
        return NTSTATUS.INVALID_PARAMETER
    if location.OutputBufferLength < 4:
        return ext.Profile.short_buffer
    refusal = _refusal(ext, ReaderEvent.SET_PROTOCOL)
    if refusal is not NTSTATUS.SUCCESS:
        return refusal
    mask = Protocol(int.from_bytes(buffer[:4], "little"))
    ext.MinorIoControlCode = mask
    # OPTIMAL (0) and DEFAULT alone leave the choice to the card.
    free = mask in (Protocol.UNDEFINED, Protocol.DEFAULT)
    if not mask & _KNOWN_PROTOCOLS:
        return _SUCCESS if free else NTSTATUS.INVALID_DEVICE_REQUEST
    card = ext.CardCapabilities.Protocol
    if ext.ReaderCapabilities.CurrentState is _SPECIFIC:
        if mask & card.Selected or ext.Profile.specific_any_mask:
            return _SUCCESS
        return NTSTATUS.NOT_SUPPORTED
    offered = (card.Supported | Protocol.RAW) & ext.ReaderCapabilities.SupportedProtocols
    return _SUCCESS if mask & offered else NTSTATUS.NOT_SUPPORTED


def _check_transmit(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> NTSTATUS:
    length = location.InputBufferLength
    if length < ext.Profile.transmit_input_minimum:
        return NTSTATUS.INVALID_PARAMETER
    if location.OutputBufferLength < IO_REQUEST_SIZE + 2:
        return ext.Profile.short_buffer
    protocol, pci_length = IO_REQUEST.unpack_from(buffer)
    if not IO_REQUEST_SIZE <= pci_length <= length:
        return NTSTATUS.INVALID_PARAMETER
    if ext.ReaderCapabilities.CurrentState is not _SPECIFIC:
        return _refusal(ext, ReaderEvent.TRANSMIT)
    if protocol != ext.CardCapabilities.Protocol.Selected:
        return NTSTATUS.INVALID_DEVICE_STATE
    return _SUCCESS


def _check_card(event: ReaderEvent) -> Check:
    return lambda ext, location, buffer: _refusal(ext, event)


# What a request needs: its callback, and the check before.
CALLBACKS: dict[int, tuple[RDF, Check]] = {
    Ioctl.SMARTCARD_POWER: (RDF.CARD_POWER, _check_power),
    Ioctl.SMARTCARD_TRANSMIT: (RDF.TRANSMIT, _check_transmit),
    Ioctl.SMARTCARD_SET_PROTOCOL: (RDF.SET_PROTOCOL, _check_set_protocol),
    Ioctl.SMARTCARD_EJECT: (RDF.CARD_EJECT, _check_card(ReaderEvent.EJECT)),
    Ioctl.SMARTCARD_SWALLOW: (RDF.READER_SWALLOW, _check_card(ReaderEvent.SWALLOW)),
    Ioctl.SMARTCARD_CONFISCATE: (RDF.CARD_CONFISCATE, _check_card(ReaderEvent.CONFISCATE)),
}
# A code the library does not know is the driver's affair.
VENDOR = (RDF.IOCTL_VENDOR, _no_check)
