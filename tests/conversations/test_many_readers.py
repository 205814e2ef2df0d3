# SPDX-License-Identifier: Apache-2.0
"""More readers than a program, or the resource manager, can see."""

from conversation_programs import EMBEDDED, only_where

from vreader.bridge.pcsclite.probe import probe_reader_slots
from vreader.winscard.codes import SCARD

SLOTS = 16  # of the worlds' doors, for programs before 4.6


def seen_by(rung, readers):
    """How many of so many readers a program of this rung sees."""
    if rung == "api" or rung.endswith("4.6"):
        return readers
    if rung == "libpcsclite" and (probe_reader_slots().minor or 0) >= 6:
        return readers
    return min(readers, SLOTS)


@only_where("max_readers", None, EMBEDDED)
def test_forty_readers(world):
    names = [world.reader, *(world.host.add_reader("Other Reader").name for _ in range(39))]
    assert len(set(names)) == 40
    program = world.program()
    assert program.readers() == names[: seen_by(world.rung, 40)]
    card = world.card_type()
    world.host.readers[-1].insert(card)
    hcard = program.connect(reader=names[-1])  # by its name every program reaches it
    assert program.transmit(hcard, "00a40400") == "00a404009000"


@only_where("max_readers", 10, EMBEDDED)
def test_the_eleventh_reader_is_not_managed(world, refused):
    others = [world.host.add_reader("Other Reader") for _ in range(10)]
    program = world.program()
    assert program.readers() == [world.reader, *(reader.name for reader in others[:9])]
    with refused(SCARD.E_UNKNOWN_READER):
        program.connect(reader="Other Reader 9")
    others[0].unplug()
    another = world.host.add_reader("Other Reader")
    assert another.name in program.readers()
