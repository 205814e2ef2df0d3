# SPDX-License-Identifier: Apache-2.0
"""The SCard* functions by name, in this process: no socket, no library."""

from counter import Counter

from vreader.host import Host
from vreader.host.scard import ScardApi

with Host() as host:
    host.add_reader("Virtual Reader").insert(Counter("41"))
    scard = ScardApi(host)
    context = scard.SCardEstablishContext()
    reader = scard.SCardListReaders(context)[0]
    card, protocol = scard.SCardConnect(context, reader)
    scard.SCardBeginTransaction(card)
    scard.SCardTransmit(card, protocol, bytes.fromhex("00100000"))
    answer = scard.SCardTransmit(card, protocol, bytes.fromhex("0020000002"))
    scard.SCardEndTransaction(card)
    print(answer.hex())
    scard.SCardReleaseContext(context)
