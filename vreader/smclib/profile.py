# SPDX-License-Identifier: Apache-2.0
"""Driver profiles: where Microsoft's texts disagree or are silent, a choice is a named option."""

from typing import NamedTuple

from vreader.smclib.ioctl import Attr
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
        power_down_supported: whether POWER_DOWN does anything. NFC page: yes; the NFC class
            extension and the HLK: NOT_SUPPORTED.
        vanished_reset: status of a reset during which the card left. NO_MEDIA; the pscr sample:
            SUCCESS, so that the removal is what the resource manager sees.
        short_buffer: status for a buffer below the documented minimum. 1998 DDK:
            BUFFER_TOO_SMALL; NFC class extension: INVALID_PARAMETER.
        reset_output_minimum: output bytes a reset must offer; 0 compares with the real ATR.
        transmit_input_minimum: input bytes of TRANSMIT: the header; NFC class extension: one more.
        tracking_refuses_buffers: IS_PRESENT/IS_ABSENT with buffers → INVALID_PARAMETER.
        tracking_busy_first: while one tracking request pends another is DEVICE_BUSY even where it
            is satisfied already; False answers that one SUCCESS.
        specific_any_mask: SET_PROTOCOL in SPECIFIC succeeds for any mask, as in the pscr sample;
            else a mask without the selected protocol is NOT_SUPPORTED.
        no_card_attribute: status of ATR_STRING and CURRENT_PROTOCOL_TYPE without a card.
        attributes: the tags GET_ATTRIBUTE answers; None for all. NFC: the documented minimum.
        perf_counters: GET_PERF_CNTR is answered; NFC class extension: NOT_SUPPORTED.
        bad_power_minor: status of POWER with an unknown minor code.
        removed_status: status between SURPRISE_REMOVAL and REMOVE_DEVICE.
        stopped_status: status of requests to a reader that is stopped.
        asleep_waits: requests for the card pend until the reader is in D0 again, as KMDF's power
            managed queues do; else they are DEVICE_POWERED_OFF.
        contactless: the reader's own values are those of an NFC reader: 13.56 MHz, T=1 alone,
            characteristics and reader type.
        library_completes: who completes a request with bad parameters. 1998 text: the library;
            2017 text: the driver.
    """

    name: str
    insertion_state: CardState = CardState.SWALLOWED
    power_down_state: CardState = CardState.SWALLOWED
    reset_state: CardState = CardState.NEGOTIABLE
    power_down_supported: bool = True
    vanished_reset: NTSTATUS = NTSTATUS.NO_MEDIA
    short_buffer: NTSTATUS = NTSTATUS.BUFFER_TOO_SMALL
    reset_output_minimum: int = 33
    transmit_input_minimum: int = 8
    tracking_refuses_buffers: bool = False
    tracking_busy_first: bool = True
    specific_any_mask: bool = False
    no_card_attribute: NTSTATUS = NTSTATUS.NOT_SUPPORTED
    attributes: frozenset[int] | None = None
    perf_counters: bool = True
    bad_power_minor: NTSTATUS = NTSTATUS.INVALID_DEVICE_REQUEST
    removed_status: NTSTATUS = NTSTATUS.DEVICE_REMOVED
    stopped_status: NTSTATUS = NTSTATUS.DEVICE_NOT_READY
    asleep_waits: bool = False
    contactless: bool = False
    library_completes: bool = True


_NFC_ATTRIBUTES = frozenset(
    {
        Attr.VENDOR_NAME,
        Attr.VENDOR_IFD_TYPE,
        Attr.VENDOR_IFD_VERSION,
        Attr.CHANNEL_ID,
        Attr.PROTOCOL_TYPES,
        Attr.DEFAULT_CLK,
        Attr.MAX_CLK,
        Attr.DEFAULT_DATA_RATE,
        Attr.MAX_DATA_RATE,
        Attr.MAX_IFSD,
        Attr.POWER_MGMT_SUPPORT,
        Attr.CHARACTERISTICS,
        Attr.CURRENT_PROTOCOL_TYPE,
        Attr.CURRENT_CLK,
        Attr.CURRENT_D,
        Attr.CURRENT_IFSC,
        Attr.CURRENT_IFSD,
        Attr.CURRENT_BWT,
        Attr.ICC_PRESENCE,
        Attr.ICC_INTERFACE_STATUS,
        Attr.ATR_STRING,
        Attr.ICC_TYPE_PER_ATR,
        Attr.DEVICE_UNIT,
        Attr.DEVICE_IN_USE,
    }
)

CONTACT = DriverProfile("contact")
NFC = DriverProfile(
    "nfc",
    contactless=True,
    reset_state=CardState.SPECIFIC,
    short_buffer=NTSTATUS.INVALID_PARAMETER,
    reset_output_minimum=0,
    transmit_input_minimum=9,
    tracking_refuses_buffers=True,
    no_card_attribute=NTSTATUS.INVALID_DEVICE_STATE,
    attributes=_NFC_ATTRIBUTES,
    perf_counters=False,
    bad_power_minor=NTSTATUS.INVALID_PARAMETER,
)
# By name, for command lines.
PROFILES = {profile.name: profile for profile in (CONTACT, NFC)}
