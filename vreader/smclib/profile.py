# SPDX-License-Identifier: Apache-2.0
"""Driver profiles: where Microsoft's texts disagree or are silent, a choice is a named option."""

from typing import NamedTuple

from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS


class DriverProfile(NamedTuple):
    """The choices one kind of reader driver makes.

    Attributes:
        name: ``contact`` or ``nfc``.
        insertion_state: GET_STATE after an insertion. 1998 DDK and most drivers: SWALLOWED; the
            pscr sample: PRESENT.
        power_down_state: GET_STATE after POWER_DOWN. NFC page: SWALLOWED; pscr sample: PRESENT.
        reset_state: state after a successful reset of a card without TA2. Contact readers:
            NEGOTIABLE; the NFC page: SPECIFIC.
        short_buffer: status for a buffer below the documented minimum. 1998 DDK:
            BUFFER_TOO_SMALL; NFC class extension: INVALID_PARAMETER.
        reset_output_minimum: output bytes a reset must offer; 0 compares with the real ATR.
        tracking_refuses_buffers: IS_PRESENT/IS_ABSENT with buffers → INVALID_PARAMETER.
        no_card_attribute: status of ATR_STRING and CURRENT_PROTOCOL_TYPE without a card.
        bad_power_minor: status of POWER with an unknown minor code.
        removed_status: status between SURPRISE_REMOVAL and REMOVE_DEVICE.
    """

    name: str
    insertion_state: CardState = CardState.SWALLOWED
    power_down_state: CardState = CardState.SWALLOWED
    reset_state: CardState = CardState.NEGOTIABLE
    short_buffer: NTSTATUS = NTSTATUS.BUFFER_TOO_SMALL
    reset_output_minimum: int = 33
    tracking_refuses_buffers: bool = False
    no_card_attribute: NTSTATUS = NTSTATUS.NOT_SUPPORTED
    bad_power_minor: NTSTATUS = NTSTATUS.INVALID_DEVICE_REQUEST
    removed_status: NTSTATUS = NTSTATUS.DEVICE_REMOVED


CONTACT = DriverProfile("contact")
NFC = DriverProfile(
    "nfc",
    reset_state=CardState.SPECIFIC,
    short_buffer=NTSTATUS.INVALID_PARAMETER,
    reset_output_minimum=0,
    tracking_refuses_buffers=True,
    no_card_attribute=NTSTATUS.INVALID_DEVICE_STATE,
    bad_power_minor=NTSTATUS.INVALID_PARAMETER,
)
