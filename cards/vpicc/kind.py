# SPDX-License-Identifier: Apache-2.0
"""What the tool must know about vpicc's cards."""

from collections.abc import Mapping

from cards.standin import StandInKind
from vreader.card import Card, Store, check_options
from vreader.errors import UsageError


class VpiccKind(StandInKind):
    """A :class:`vreader.card.CardKind`."""

    name = "vpicc"
    summary = "cards of vsmartcard's vpicc, or vpicc:file.py:Class (needs vpicc)"
    takes_classes = True

    def profiles(self) -> Mapping[str, str]:
        """Return those of vpicc's own cards that need nothing but vpicc."""
        return {
            "iso7816": "vpicc's ISO 7816-4 file system card",
            "cryptoflex": "vpicc's Cryptoflex card",
        }

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Make the card; the options of ``file.py:Class`` are keyword arguments of the class.

        Raises:
            UsageError: the class cannot make one.
            VreaderError: vpicc is not installed, or not where Python looks.
        """
        from cards.vpicc.load import card_of_class, own_card

        self.refuse_state(store)
        if seed is not None:
            raise UsageError("a vpicc card takes no seed", hint="leave seed= out")
        if profile not in self.profiles():
            return card_of_class(profile, options)
        check_options(options, (), self.name)
        return own_card(profile)


KIND = VpiccKind()
