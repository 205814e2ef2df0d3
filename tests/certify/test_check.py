# SPDX-License-Identifier: Apache-2.0
"""A check is named by its part and its function, and titled by its docstring."""

from vreader.certify.check import MONITOR, RESET, Part
from vreader.smclib.ioctl import Protocol


def test_a_part_collects_its_checks():
    part = Part("X", "Examples")

    @part.check(MONITOR)
    def card_moves(bench):
        """A card moves."""

    @part.check(RESET, contact=True, protocols=Protocol.T0)
    def card_rests(bench):
        """A card rests."""

    first, second = part.checks
    assert (first.id, first.title, first.requirement) == ("X.card-moves", "A card moves", MONITOR)
    assert first.run is card_moves
    assert (first.contact, first.protocols) == (False, Protocol.UNDEFINED)
    assert (second.id, second.contact, second.protocols) == ("X.card-rests", True, Protocol.T0)
    assert MONITOR == "Device.Input.SmartCardReader.SupportsInsertionAndRemovalMonitor"
