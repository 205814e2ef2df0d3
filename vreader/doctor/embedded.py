# SPDX-License-Identifier: Apache-2.0
"""Whether the default stack works: a world is made, and a client finds its card."""

from collections.abc import Iterator

from vreader.doctor.check import Finding, fail, ok
from vreader.doctor.machine import Machine
from vreader.errors import VreaderError


def look(_machine: Machine) -> Iterator[Finding]:
    """Make one, ask it as libpcsclite would."""
    from vreader.bridge.pcsclite.client import PcscClient
    from vreader.world import World

    try:
        with (
            World(["atr:3B80800101"]) as world,
            PcscClient(world.environment["PCSCLITE_CSOCK_NAME"], timeout_s=3.0) as client,
        ):
            seen = [state.name for state in client.readers() if state.atr]
    except VreaderError as error:
        yield fail(f"no world can be made: {error}", error.hint)
        return
    if seen:
        yield ok("a world works, with its socket and a card in its reader")
    else:
        yield fail("a client of a new world does not see its card", "please report it")
