# SPDX-License-Identifier: Apache-2.0
"""What an APDU costs a program on pyscard that has its card in its own process."""

import time
from pathlib import Path

from vreader.world import World

PYSCARD = "in process, through pyscard"
APDU = [0x00, 0xCA, 0x00, 0x00, 0x00]  # as the client in C sends
WARM = 100


def pyscard_latencies(count: int) -> list[int]:
    """Nanoseconds of each of ``count`` SCardTransmit; raises UsageError without pyscard."""
    card = f"{Path(__file__).with_name('echo.py')}:EchoCard"
    took = []
    with World((card,), stack="in-process") as world, world.pyscard():
        from smartcard import scard

        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _, (reader,) = scard.SCardListReaders(context, [])
        both = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        _, handle, header = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, both)
        for _ in range(WARM + count):
            start = time.perf_counter_ns()
            code, _ = scard.SCardTransmit(handle, header, APDU)
            took.append(time.perf_counter_ns() - start)
            assert code == scard.SCARD_S_SUCCESS
    return took[WARM:]
