# SPDX-License-Identifier: Apache-2.0
"""Events as JSON lines: one object per line, ASCII only, for programs.

Every object has ``t`` (seconds since the trace was opened, microseconds precise) and ``event`` (the
name of the event's class), then the fields of that class under their own names, in their order.
These names are stable; a new version may add events and fields, never rename one. Bytes are
upper-case hex without spaces, masked ones ``**``; tuples are arrays, mappings objects; numbers and
texts are themselves. Two fields are added for convenience: ``ioctl``, the name of an IrpEvent's
``code``, or null where it is none of winsmcrd.h, and ``sw``, the status word of an ApduEvent's
``response``, or null where there is none.

===================  ============================================================================
event                fields
===================  ============================================================================
TraceOpened          version, started, unmasked, format
DeviceEvent          device, change
IrpEvent             device, major, code, status, information; ioctl
StateEvent           device, before, cause, after
DebugEvent           device, bits, text
DriverLogEvent       device, status, text, code, dump, driver
CardEvent            reader, change, atr, problem
ApduEvent            reader, command, response, masked, masked_response, text, seconds, problem; sw
TpduEvent            reader, protocol, to_card, text, data, length, harm
PinEvent             reader, asked, outcome
FaultEvent           reader, fault, text
CardFaultEvent       reader, traceback
IoctlRejectedEvent   device, code, win32, header
ReaderNamed          device, reader
ReaderChangeEvent    reader, state, counter, sharing, gone
ReaderRefusedEvent   link, reason
TransactionExpired   reader
CardNameEvent        reader, atr, name, source, steps
ClientEvent          pid, change, reason
DoorFaultEvent       pid, traceback
WinscardClientEvent  client, change, reason
VpcdConnected        reader, peer
VpcdDisconnected     reader, peer, reason
VpcdRefused          reader, peer, reason, hint
VpcdIgnored          reader, peer, reason
CardProgramConnected reader, peer
CardProgramLeft      reader, peer, reason
CardProgramRefused   reader, peer, reason
SerialCcidConnected  reader, path
SerialCcidWaiting    reader, path
SerialCcidIgnored    reader, path, reason
PairingStep          stage, text, facts
CardCallStarted      function, arguments, reader, call
CardCallEvent        function, arguments, result, code, seconds, reader, call
===================  ============================================================================

What the fields mean is said beside each event class.
"""

import json

from vreader.events import Event
from vreader.reader.events import ApduEvent
from vreader.trace.notation import hex_pairs, ioctl_name
from vreader.wdm.events import IrpEvent

_Plain = str | int | float | bool | list["_Plain"] | dict[str, "_Plain"] | None


def json_line(seconds: float, event: Event) -> str:
    """Return one event as one line, newline included."""
    return json.dumps(json_record(seconds, event)) + "\n"


def json_record(seconds: float, event: Event) -> "dict[str, _Plain]":
    """Return one event as the object that stands in its line."""
    record: dict[str, _Plain] = {"t": round(seconds, 6), "event": type(event).__name__}
    for name in event.fields:
        record[name] = _plain(getattr(event, name))
    if isinstance(event, ApduEvent):
        record["command"] = "".join(hex_pairs(event.command, event.masked))
        record["response"] = "".join(hex_pairs(event.response, event.masked_response))
        record["seconds"] = round(event.seconds, 9)
        record["sw"] = event.response[-2:].hex().upper() if len(event.response) >= 2 else None
    elif isinstance(event, IrpEvent):
        record["ioctl"] = ioctl_name(event.code)
    return record


def _plain(value: object) -> _Plain:
    """Return ``value`` as JSON has it; what an event should not carry, by its text."""
    if isinstance(value, bytes | bytearray):
        return value.hex().upper()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)
