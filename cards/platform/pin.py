# SPDX-License-Identifier: Apache-2.0
"""A reference value with a retry counter (ISO/IEC 7816-4:2020 §9.2.2, §11.6.2).

The counter is decremented *and committed* before the comparison, so pulling the card or killing
the process in the middle never gives a try back. Whether the value is verified in this session is
volatile and belongs to the applet.
"""

from cards.platform.applet import Refuse
from cards.platform.nvm import Area
from vreader.iso7816 import SW

MAX_TRIES = 255


class Pin:
    """A PIN, PUK or the like, kept in an area of non-volatile memory under ``name``.

    The object holds no state of its own: every answer is read from the memory.
    """

    def __init__(self, area: Area, name: str) -> None:
        self._area = area
        self._value_key = f"{name}.value"
        self._tries_key = f"{name}.tries"

    def create(self, value: bytes, tries: int) -> None:
        """Set the value and its limit of 1 to 255 tries, all of them left."""
        if not 1 <= tries <= MAX_TRIES:
            raise ValueError(f"a retry counter starts at 1 to {MAX_TRIES}, not {tries}")
        self._area.put(self._value_key, value)
        self._area.put(self._tries_key, bytes((tries, tries)))

    @property
    def tries_left(self) -> int:
        """How many wrong values are still tolerated; 0 is blocked."""
        return self._tries()[0]

    @property
    def tries_max(self) -> int:
        """What a right value sets the counter back to."""
        return self._tries()[1]

    @property
    def blocked(self) -> bool:
        """Whether no comparison takes place any more."""
        return not self.tries_left

    def equals(self, value: bytes) -> bool:
        """Compare without counting, for the card's own questions ("is it the default?")."""
        from hmac import compare_digest

        return compare_digest(self._area.get(self._value_key) or b"", value)

    def check(self, value: bytes) -> None:
        """Compare ``value``; a right one restores the counter.

        Raises:
            Refuse: 63Cx with the tries left after a wrong value (0 to 15, more count as 15), 6983
                when the counter was already at zero.
        """
        left, limit = self._tries()
        if not left:
            raise Refuse(SW.AUTHENTICATION_BLOCKED)
        self._area.put(self._tries_key, bytes((left - 1, limit)))
        self._area.commit()
        if not self.equals(value):
            raise Refuse(SW.retries(min(left - 1, 15)))
        self._area.put(self._tries_key, bytes((limit, limit)))

    def change(self, value: bytes) -> None:
        """Set a new value and give all tries back; the caller has checked the right to do so."""
        limit = self.tries_max
        self._area.put(self._value_key, value)
        self._area.put(self._tries_key, bytes((limit, limit)))

    def _tries(self) -> tuple[int, int]:
        raw = self._area.get(self._tries_key)
        assert raw is not None, "Pin.create was not called"
        return raw[0], raw[1]
