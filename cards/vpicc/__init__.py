# SPDX-License-Identifier: Apache-2.0
"""The card kind ``vpicc``: cards written for vsmartcard's vpicc, in this process.

vpicc is a program of the vsmartcard project under GPL-3.0 and no part of this package: it is
imported where its user has installed it and asks for such a card.
"""

from cards.vpicc.kind import KIND

__all__ = ["KIND"]
