# SPDX-License-Identifier: Apache-2.0
"""The life of a device object between AddDevice and deletion, as a table that is data.

Theory of operation. A device is in one of seven states; what moves it is a PnP request that has
succeeded. For every state and request the table holds the next state or the NTSTATUS with which the
request is refused, and a refusal leaves the state untouched. The PnP manager looks here before it
sends a request; a function driver looks here again for its own device. A second table says in which
states a device takes opens and I/O.

Sources: WDK "State Transitions for PnP Devices", "Handling an IRP_MN_SURPRISE_REMOVAL Request",
"Handling an IRP_MN_QUERY_REMOVE_DEVICE Request".
"""

from enum import Enum

from vreader.wdm.irp import IRP_MN
from vreader.wdm.status import NTSTATUS


class PnpState(Enum):
    """Where a device is in its life."""

    NOT_STARTED = "not started"
    STARTED = "started"
    STOP_PENDING = "stop pending"
    STOPPED = "stopped"
    REMOVE_PENDING = "remove pending"
    SURPRISE_REMOVED = "surprise removed"
    REMOVED = "removed"


REQUESTS = (
    IRP_MN.START_DEVICE,
    IRP_MN.QUERY_STOP_DEVICE,
    IRP_MN.STOP_DEVICE,
    IRP_MN.CANCEL_STOP_DEVICE,
    IRP_MN.QUERY_REMOVE_DEVICE,
    IRP_MN.REMOVE_DEVICE,
    IRP_MN.CANCEL_REMOVE_DEVICE,
    IRP_MN.SURPRISE_REMOVAL,
)

_S, _R = PnpState, IRP_MN
_Outcome = PnpState | NTSTATUS


def _row(refusal: NTSTATUS, **moves: PnpState) -> dict[IRP_MN, _Outcome]:
    """Return a total row: the requests that lead on, and ``refusal`` for all others."""
    return {request: moves.get(request.name, refusal) for request in REQUESTS}


_BAD = NTSTATUS.INVALID_DEVICE_STATE

# REMOVE_DEVICE may come at any moment: after a failed start, and on Windows 9x with no word before.
LIFE: dict[PnpState, dict[IRP_MN, _Outcome]] = {
    _S.NOT_STARTED: _row(
        _BAD,
        START_DEVICE=_S.STARTED,
        REMOVE_DEVICE=_S.REMOVED,
        SURPRISE_REMOVAL=_S.SURPRISE_REMOVED,
    ),
    _S.STARTED: _row(
        _BAD,
        QUERY_STOP_DEVICE=_S.STOP_PENDING,
        CANCEL_STOP_DEVICE=_S.STARTED,  # a filter above may have failed the query: harmless
        QUERY_REMOVE_DEVICE=_S.REMOVE_PENDING,
        CANCEL_REMOVE_DEVICE=_S.STARTED,
        REMOVE_DEVICE=_S.REMOVED,
        SURPRISE_REMOVAL=_S.SURPRISE_REMOVED,
    ),
    _S.STOP_PENDING: _row(
        _BAD,
        STOP_DEVICE=_S.STOPPED,
        CANCEL_STOP_DEVICE=_S.STARTED,
        REMOVE_DEVICE=_S.REMOVED,
        SURPRISE_REMOVAL=_S.SURPRISE_REMOVED,
    ),
    _S.STOPPED: _row(
        _BAD,
        START_DEVICE=_S.STARTED,
        REMOVE_DEVICE=_S.REMOVED,
        SURPRISE_REMOVAL=_S.SURPRISE_REMOVED,
    ),
    _S.REMOVE_PENDING: _row(
        _BAD,
        REMOVE_DEVICE=_S.REMOVED,
        CANCEL_REMOVE_DEVICE=_S.STARTED,
        SURPRISE_REMOVAL=_S.SURPRISE_REMOVED,
    ),
    _S.SURPRISE_REMOVED: _row(NTSTATUS.DEVICE_REMOVED, REMOVE_DEVICE=_S.REMOVED),
    _S.REMOVED: _row(NTSTATUS.DELETE_PENDING),
}

# What CREATE and other I/O are answered instead of being served; None serves them. CLEANUP, CLOSE,
# PNP and POWER are served in every state.
OPENS: dict[PnpState, NTSTATUS | None] = {
    _S.NOT_STARTED: NTSTATUS.DEVICE_NOT_READY,
    _S.STARTED: None,
    _S.STOP_PENDING: None,
    _S.STOPPED: NTSTATUS.DEVICE_NOT_READY,
    _S.REMOVE_PENDING: NTSTATUS.DELETE_PENDING,
    _S.SURPRISE_REMOVED: NTSTATUS.DEVICE_REMOVED,
    _S.REMOVED: NTSTATUS.DELETE_PENDING,
}
IO: dict[PnpState, NTSTATUS | None] = OPENS | {_S.REMOVE_PENDING: None}


def next_pnp_state(state: PnpState, request: int) -> PnpState | NTSTATUS:
    """Return where ``request`` leads from ``state``, or the status that refuses it.

    Requests that move nothing (QUERY_ID, QUERY_CAPABILITIES …) leave the state as it is.
    """
    for known in REQUESTS:
        if known == request:
            return LIFE[state][known]
    return state
