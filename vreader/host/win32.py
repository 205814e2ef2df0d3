# SPDX-License-Identifier: Apache-2.0
"""Win32 error numbers in words, as FormatMessage has them; those NTSTATUS codes translate to."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[int, str]] = {
    0: "The operation completed successfully.",
    1: "Incorrect function.",
    2: "The system cannot find the file specified.",
    5: "Access is denied.",
    6: "The handle is invalid.",
    21: "The device is not ready.",
    22: "The device does not recognize the command.",
    23: "Data error (cyclic redundancy check).",
    24: "The program issued a command but the command length is incorrect.",
    31: "A device attached to the system is not functioning.",
    32: "The process cannot access the file because it is being used by another process.",
    50: "The request is not supported.",
    55: "The specified network resource or device is no longer available.",
    87: "The parameter is incorrect.",
    121: "The semaphore timeout period has expired.",
    122: "The data area passed to a system call is too small.",
    170: "The requested resource is in use.",
    183: "Cannot create a file when that file already exists.",
    234: "More data is available.",
    317: "The system cannot find message text for the error.",
    995: "The I/O operation has been aborted because of either a thread exit or an application "
    "request.",
    997: "Overlapped I/O operation is in progress.",
    1110: "The media in the drive may have changed.",
    1112: "No media in drive.",
    1117: "The request could not be performed because of an I/O device error.",
    1167: "The device is not connected.",
    1450: "Insufficient system resources exist to complete the requested service.",
    1460: "This operation returned because the timeout period expired.",
    1617: "The device has been removed.",
    1784: "The supplied user buffer is not valid for the requested operation.",
    1785: "The disk media is not recognized. It may not be formatted.",
}


def text_of(error: int) -> str:
    """Return an error in words; its number where there are none."""
    return TEXTS.get(error, f"Error {error}.")
