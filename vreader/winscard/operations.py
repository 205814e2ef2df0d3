# SPDX-License-Identifier: Apache-2.0
"""The calls on readers and card handles, by name.

Each is an operation (:mod:`vreader.winscard.call`): it checks in the order the profile says, asks
the driver, and returns a value or raises ScardError. Order of waiting: first for another's
transaction where the call waits for it, then for the driver.
"""

from vreader.winscard.connections import connect, disconnect, reconnect, release_context
from vreader.winscard.exchange import control, get_attribute, set_attribute, status, transmit
from vreader.winscard.transactions import begin_transaction, end_transaction

__all__ = [
    "begin_transaction",
    "connect",
    "control",
    "disconnect",
    "end_transaction",
    "get_attribute",
    "reconnect",
    "release_context",
    "set_attribute",
    "status",
    "transmit",
]
