# SPDX-License-Identifier: Apache-2.0
"""Calls of pyscard's raw layer and what they return, numbers of handles left out.

Run as a program it prints them as JSON: in a world behind libpcsclite they must be the same as in
process. The world has one reader with a PIV card.
"""

import json

from smartcard import scard as s

PNP = "\\\\?PnP?\\Notification"
SELECT = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08]
FEATURES = 3400
ATTRIBUTES = (
    "SCARD_ATTR_ATR_STRING",
    "SCARD_ATTR_VENDOR_NAME",
    "SCARD_ATTR_VENDOR_IFD_TYPE",
    "SCARD_ATTR_VENDOR_IFD_VERSION",
    "SCARD_ATTR_VENDOR_IFD_SERIAL_NO",
    "SCARD_ATTR_CHANNEL_ID",
    "SCARD_ATTR_ASYNC_PROTOCOL_TYPES",
    "SCARD_ATTR_DEFAULT_CLK",
    "SCARD_ATTR_MAXINPUT",
    "SCARD_ATTR_CURRENT_PROTOCOL_TYPE",
    "SCARD_ATTR_CURRENT_IFSC",
    "SCARD_ATTR_ICC_PRESENCE",
    "SCARD_ATTR_ICC_INTERFACE_STATUS",
    "SCARD_ATTR_DEVICE_FRIENDLY_NAME",
    "SCARD_ATTR_DEVICE_SYSTEM_NAME",
    "SCARD_ATTR_SUPRESS_T1_IFS_REQUEST",
)


class Calls:
    """Makes calls and keeps what they returned."""

    def __init__(self) -> None:
        self.kept: list = []

    def __call__(self, name: str, *args, handles: int = 0):
        """Make a call; of its values the first ``handles`` behind the code are kept as truth."""
        if not hasattr(s, name):
            return None  # versions before 2.3 do not have all
        try:
            answer = getattr(s, name)(*args)
        except (TypeError, SystemError) as error:
            self.kept.append([name, type(error).__name__])
            return None
        shown = list(answer) if isinstance(answer, list) else answer
        if handles:
            shown[1] = bool(shown[1])
        if isinstance(shown, list) and shown[0]:
            shown = shown[:1]  # behind a failure is what happened to be in memory
        self.kept.append([name, shown, type(answer).__name__])
        return answer


def calls() -> list:
    """Make the calls."""
    call = Calls()
    context = call("SCardEstablishContext", s.SCARD_SCOPE_USER, handles=1)[1]
    call("SCardEstablishContext", 77)
    call("SCardIsValidContext", context)
    call("SCardIsValidContext", 12345)
    reader = call("SCardListReaders", context, [])[1][0]
    call("SCardListReaders", context, ["SCard$DefaultReaders"])
    call("SCardListReaderGroups", context)
    _status(call, context, reader)
    _connected(call, context, reader)
    _refused(call, context, reader)
    call("SCardCancel", context)
    call("SCardReleaseContext", context)
    call("SCardReleaseContext", context)
    call("SCardListReaders", context, [])
    return call.kept


def _status(call: Calls, context: int, reader: str) -> None:
    _, states = call("SCardGetStatusChange", context, 0, [(reader, 0)])
    known = [state[:2] for state in states]
    call("SCardGetStatusChange", context, 0, known[:1])
    call("SCardGetStatusChange", context, 10, [(*known[0], states[0][2])])
    call("SCardGetStatusChange", context, 0, [(reader, s.SCARD_STATE_IGNORE)])
    call("SCardGetStatusChange", context, 0, [(reader, s.SCARD_STATE_EMPTY)])
    call("SCardGetStatusChange", context, s.INFINITE, [(reader, s.SCARD_STATE_UNAWARE)])
    call("SCardGetStatusChange", context, 0, [("No such reader", 0)])


def _connected(call: Calls, context: int, reader: str) -> None:
    both = s.SCARD_PROTOCOL_T0 | s.SCARD_PROTOCOL_T1
    shared = (context, reader, s.SCARD_SHARE_SHARED)
    call("SCardConnect", context, "No such reader", s.SCARD_SHARE_SHARED, both)
    call("SCardConnect", *shared, s.SCARD_PROTOCOL_T0)
    raw = call("SCardConnect", *shared, s.SCARD_PROTOCOL_RAW, handles=1)[1]
    call("SCardTransmit", raw, s.SCARD_PCI_RAW, SELECT)
    call("SCardDisconnect", raw, s.SCARD_LEAVE_CARD)
    call("SCardConnect", context, reader, 9, both)
    _, card, protocol = call("SCardConnect", *shared, both, handles=1)
    call("SCardStatus", card)
    call("SCardConnect", context, reader, s.SCARD_SHARE_EXCLUSIVE, both)
    call("SCardBeginTransaction", card)
    call("SCardTransmit", card, s.SCARD_PCI_T1, SELECT)
    call("SCardTransmit", card, protocol, [0x100 + byte for byte in SELECT])
    call("SCardTransmit", card, s.SCARD_PCI_T0, SELECT)
    call("SCardTransmit", card, 99, SELECT)
    call("SCardTransmit", card, s.SCARD_PCI_T1, [])
    call("SCardTransmit", card, s.SCARD_PCI_T1, [0x00])
    call("SCardEndTransaction", card, s.SCARD_LEAVE_CARD)
    call("SCardEndTransaction", card, 99)
    for name in ATTRIBUTES:
        call("SCardGetAttrib", card, getattr(s, name))
    call("SCardGetAttrib", card, 0x12345)
    call("SCardSetAttrib", card, s.SCARD_ATTR_SUPRESS_T1_IFS_REQUEST, [1])
    call("SCardControl", card, s.SCARD_CTL_CODE(FEATURES), [])
    call("SCardControl", card, s.SCARD_CTL_CODE(1), [1, 2, 3])
    call("SCardControl", card, 42, [])
    call("SCardReconnect", card, s.SCARD_SHARE_SHARED, both, s.SCARD_RESET_CARD)
    call("SCardReconnect", card, s.SCARD_SHARE_SHARED, s.SCARD_PROTOCOL_T0, s.SCARD_LEAVE_CARD)
    call("SCardReconnect", card, s.SCARD_SHARE_EXCLUSIVE, both, s.SCARD_UNPOWER_CARD)
    call("SCardGetStatusChange", context, 0, [(reader, 0)])
    call("SCardConnect", *shared, both)
    call("SCardDisconnect", card, s.SCARD_UNPOWER_CARD)
    call("SCardDisconnect", card, s.SCARD_LEAVE_CARD)
    call("SCardTransmit", card, s.SCARD_PCI_T1, SELECT)
    call("SCardStatus", card)
    direct = call("SCardConnect", context, reader, s.SCARD_SHARE_DIRECT, both, handles=1)[1]
    call("SCardStatus", direct)
    call("SCardControl", direct, s.SCARD_CTL_CODE(FEATURES), [])
    call("SCardDisconnect", direct, s.SCARD_LEAVE_CARD)


def _refused(call: Calls, context: int, reader: str) -> None:
    card = call("SCardConnect", context, reader, s.SCARD_SHARE_SHARED, 3, handles=1)[1]
    call("SCardTransmit", card, s.SCARD_PCI_T1, bytes(SELECT))
    call("SCardTransmit", card, s.SCARD_PCI_T1, tuple(SELECT))
    call("SCardTransmit", card, s.SCARD_PCI_T1, ["a"])
    call("SCardTransmit", card, s.SCARD_PCI_T1, None)
    call("SCardControl", card, 42, b"")
    call("SCardListReaders", context, "group")
    call("SCardListReaders", context, [1])
    call("SCardConnect", context, 5, s.SCARD_SHARE_SHARED, 3)
    call("SCardConnect", context, reader, "2", 3)
    call("SCardConnect", None, reader, s.SCARD_SHARE_SHARED, 3)
    call("SCardGetStatusChange", context, 0, [[reader, 0]])
    call("SCardGetStatusChange", context, 0, [(reader,)])
    call("SCardGetStatusChange", context, 0, [(reader, "0")])
    call("SCardGetStatusChange", context, 0, [(reader, 0, b"")])
    call("SCardGetStatusChange", context, 0, [(5, 0)])
    call("SCardGetStatusChange", context, 0, reader)
    call("SCardGetStatusChange", context, 0, [])
    call("SCardIntroduceReader", context, "Alias", reader)
    call("SCardIntroduceReaderGroup", context, "Group")
    call("SCardForgetReader", context, "Alias")
    call("SCardForgetReaderGroup", context, "Group")
    call("SCardAddReaderToGroup", context, reader, "Group")
    call("SCardRemoveReaderFromGroup", context, reader, "Group")
    call("SCardDisconnect", card, s.SCARD_RESET_CARD)


if __name__ == "__main__":
    print(json.dumps(calls()))
