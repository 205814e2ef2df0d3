# SPDX-License-Identifier: Apache-2.0
"""A card is pulled out while it verifies a PIN; the program notices, and no try is lost."""

import vreader
from vreader.reader.faults import Fault, FaultPlan
from vreader.winscard.codes import ScardError

SELECT, VERIFY = bytes.fromhex("00A4040005A000000308"), bytes.fromhex("0020008008313233343536FFFF")

with vreader.world("piv", stack="in-process") as world:
    pcsc, reader = world.scard, world.places[0]
    context = pcsc.SCardEstablishContext()
    card, protocol = pcsc.SCardConnect(context, reader.name)

    fault = world.fault(FaultPlan(Fault.REMOVE_MID_APDU, on="VERIFY"))
    pcsc.SCardTransmit(card, protocol, SELECT)
    try:
        pcsc.SCardTransmit(card, protocol, VERIFY)
    except ScardError as error:
        print(error)
    print(fault.struck, reader.faults[0].left, reader.reader.state.name)

    world.insert()
    card, protocol = pcsc.SCardConnect(context, reader.name)
    pcsc.SCardTransmit(card, protocol, SELECT)
    print(pcsc.SCardTransmit(card, protocol, VERIFY[:4]).hex())
