# SPDX-License-Identifier: Apache-2.0
"""What the minidriver bench costs: a call beyond its APDUs, and a whole certification."""

import time

from vreader import cardfile
from vreader.card import MemoryStore
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.kinds import describe, find_kind
from vreader.minidriver.certify import Subject, certify
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.host import BaseCsp, CryptoProvider
from vreader.minidriver.traced import Traced
from vreader.recipe import Recipe
from vreader.winscard.profile import WINDOWS

CALL = "minidriver call, beyond its APDUs"
CERTIFICATION = "PIV certification in process"
PIN = "123456"
CARD = Recipe(
    "piv",
    options={"pin": PIN},
    provision={"subject": ["CN=bench"], "slot": ["9a:p256"]},
    seed=b"\1",
)
WHOLE = Recipe(
    "piv",
    provision={"subject": ["CN=bench"], "slot": ["9a:p256", "9c:p384", "9d:rsa2048"]},
    seed=b"\1",
)


class Stopwatch(ScardApi):
    """The functions of a machine; ``spent`` is what passed in SCardTransmit, in nanoseconds."""

    spent = 0

    def SCardTransmit(self, *given, **named):
        start = time.perf_counter_ns()
        try:
            return super().SCardTransmit(*given, **named)
        finally:
            self.spent += time.perf_counter_ns() - start


def calls(count: int) -> list[int]:
    """Nanoseconds beyond the APDUs of ``count`` signatures, each of them a traced call.

    What an application waits for is counted, but not the time in SCardTransmit: choosing the
    container, the caches, the transaction, the call and its two events.
    """
    took = []
    with Host(WINDOWS, describe=describe) as host:
        slot = host.add_reader("Bench")
        slot.insert(cardfile.make(CARD, MemoryStore()))
        api = Stopwatch(host)
        host.events.subscribe(lambda event: None)
        module = Traced(ClassMinidriver(api), host.events, clock=host.clock, reader=slot.name)
        csp = BaseCsp(api, slot.name, module, "Bench", clock=host.clock, prompt=lambda _: PIN)
        with CryptoProvider(csp) as provider:
            provider.sign(b"warm up")
            for number in range(count):
                data = number.to_bytes(4, "big")
                api.spent = 0
                start = time.perf_counter_ns()
                provider.sign(data)
                took.append(time.perf_counter_ns() - start - api.spent)
    return took


def certification() -> list[int]:
    """Nanoseconds of one certification of the class minidriver on a PIV card with its keys."""
    kind = find_kind("piv")
    image = kind.export(cardfile.make(WHOLE, MemoryStore()))
    subject = Subject("msclmd.dll", ClassMinidriver, lambda: kind.load(image, MemoryStore()))
    start = time.perf_counter_ns()
    certify(subject)
    return [time.perf_counter_ns() - start]


if __name__ == "__main__":
    from statistics import median

    print(f"{CALL}: {median(calls(300)) / 1e3:.1f} us")
    print(f"{CERTIFICATION}: {certification()[0] / 1e9:.1f} s")
