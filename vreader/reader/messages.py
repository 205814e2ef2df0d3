# SPDX-License-Identifier: Apache-2.0
"""The message texts of the virtual reader's driver, what ``vreader.sys`` would hold for the log.

``%1`` is the device, ``%2`` what SmartcardLogError inserts. Other drivers have texts of their own
(:attr:`vreader.reader.base.ReaderDriver.messages`).
"""

from collections.abc import Mapping
from typing import Final

from vreader.wdm import NTSTATUS

MESSAGES: Final[Mapping[int, str]] = {
    NTSTATUS.UNSUCCESSFUL: "The reader %1 cannot be used: %2.",
    NTSTATUS.INSUFFICIENT_RESOURCES: "There is no memory for the reader %1: %2.",
    NTSTATUS.INVALID_PARAMETER: "The reader %1 is described wrongly: %2.",
    NTSTATUS.IO_TIMEOUT: "The card in %1 did not answer in time: %2.",
    NTSTATUS.DEVICE_PROTOCOL_ERROR: "The card in %1 broke its protocol: %2.",
    NTSTATUS.UNRECOGNIZED_MEDIA: "The card in %1 has an ATR that cannot be read: %2.",
    NTSTATUS.IO_DEVICE_ERROR: "The reader %1 failed: %2.",
    NTSTATUS.DEVICE_NOT_CONNECTED: "The reader %1 is not connected: %2.",
}
