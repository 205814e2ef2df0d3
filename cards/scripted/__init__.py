# SPDX-License-Identifier: Apache-2.0
"""The card kind ``scripted``: answers as a TOML file tells it to."""

from cards.scripted.kind import KIND

__all__ = ["KIND"]
