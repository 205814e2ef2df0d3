# SPDX-License-Identifier: Apache-2.0
"""Which protocol a connection speaks: what it asks for, what is in force, SET_PROTOCOL.

Operations here need the reader's gate.
"""

from typing import TYPE_CHECKING

from vreader.smclib.ioctl import Ioctl, Protocol
from vreader.wdm import NTSTATUS
from vreader.winscard import power
from vreader.winscard.call import Io, Operation
from vreader.winscard.codes import SCARD, ScardError, ShareMode
from vreader.winscard.model import Reader
from vreader.winscard.profile import Operation as Op

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

_PROTOCOLS = Protocol.T0 | Protocol.T1 | Protocol.RAW


def wanted(rm: "ResourceManager", share: int, preferred: int) -> Protocol:
    """Return the protocols asked for; PROTO_MISMATCH for none, unless the share mode is DIRECT."""
    legacy = rm.profile.legacy_any_protocol
    protocols = Protocol(preferred & int(_PROTOCOLS))
    if preferred & legacy:
        protocols |= Protocol.T0 | Protocol.T1
    if not protocols and share != ShareMode.DIRECT:
        raise ScardError(SCARD.E_PROTO_MISMATCH)
    return protocols


def negotiate(
    rm: "ResourceManager", reader: Reader, share: int, protocols: Protocol
) -> Operation[None]:
    """SET_PROTOCOL unless one is in force; T=1 is taken before T=0 by the driver.

    Where RAW is free, who asks for it gets it: it only says that nobody checks.
    """
    if protocols & Protocol.RAW and rm.profile.raw_is_free:
        if reader.powered and not reader.pci:
            status = yield from _set_protocol(reader, Protocol.RAW)
            if status is not NTSTATUS.SUCCESS:  # TA2 has fixed one
                yield from _set_protocol(reader, Protocol.T0 | Protocol.T1)
        reader.protocol = Protocol.RAW
    elif share == ShareMode.DIRECT:
        return
    elif reader.protocol:
        if not reader.protocol & protocols:
            raise ScardError(SCARD.E_PROTO_MISMATCH)
    else:
        status = yield from _set_protocol(reader, protocols)
        if status is not NTSTATUS.SUCCESS:
            raise power.failure(rm, Op.SET_PROTOCOL, status)
        reader.protocol = Protocol(int.from_bytes(reader.pci[:4], "little"))


def set_any_protocol(rm: "ResourceManager", reader: Reader) -> Operation[None]:
    """Let a DIRECT connection talk to a card with which nobody has negotiated yet."""
    if not rm.profile.raw_is_free:
        raise power.failure(rm, Op.TRANSMIT, NTSTATUS.INVALID_DEVICE_STATE)
    if reader.powered:
        for mask in (Protocol.T0 | Protocol.T1, Protocol.RAW):
            status = yield from _set_protocol(reader, mask)
            if status is NTSTATUS.SUCCESS:
                return
    raise ScardError(SCARD.E_NOT_TRANSACTED)


def _set_protocol(reader: Reader, mask: Protocol) -> Operation[NTSTATUS]:
    status, output = yield Io(
        reader.device, Ioctl.SMARTCARD_SET_PROTOCOL, mask.to_bytes(4, "little"), 4
    )
    if status is NTSTATUS.SUCCESS:
        power.take_protocol(reader, output)
    answer: NTSTATUS = status
    return answer
