# SPDX-License-Identifier: Apache-2.0
r"""A reader opened as a device: what CreateFile on \\.\SCReader0 and DeviceIoControl would do."""

import struct

from counter import Counter

from vreader.host import Host
from vreader.smclib.ioctl import Ioctl, Power, Protocol

with Host(profile=None) as host:  # no resource manager, which would hold the reader open
    reader = host.add_reader()
    reader.insert(Counter("41"))
    with host.open_device(r"\\.\SCReader0") as device:
        status, atr = device.ioctl(
            Ioctl.SMARTCARD_POWER, Power.COLD_RESET.to_bytes(4, "little"), 33
        )
        print(status, atr.hex())
        status, chosen = device.ioctl(
            Ioctl.SMARTCARD_SET_PROTOCOL, (Protocol.T0 | Protocol.T1).to_bytes(4, "little"), 4
        )
        pci = chosen + struct.pack("<I", 8)  # SCARD_IO_REQUEST: protocol, its own size
        status, answer = device.ioctl(Ioctl.SMARTCARD_TRANSMIT, pci + b"\x00\x20\x00\x00", 8 + 258)
        print(status, answer[8:].hex())
