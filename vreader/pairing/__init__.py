# SPDX-License-Identifier: Apache-2.0
"""The pairing lab: which minidriver Windows takes for a card, and why; and experiments on that."""
