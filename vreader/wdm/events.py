# SPDX-License-Identifier: Apache-2.0
"""What the I/O manager says: requests completed, devices come and gone.

IRP events carry codes and lengths, never buffers: what a buffer means, and which of its bytes are
secret, is known further up.
"""

from vreader.events import Event


class IrpEvent(Event):
    """An IRP was completed.

    Attributes:
        device: name of the physical device object.
        major: the major function's name without IRP_MJ_.
        code: the I/O control code, 0 for other requests.
        status: the NTSTATUS, as text.
        information: bytes returned.
    """

    device: str
    major: str
    code: int
    status: str
    information: int


class DeviceEvent(Event):
    """A device interface was enabled (arrival) or disabled (departure)."""

    device: str
    change: str
