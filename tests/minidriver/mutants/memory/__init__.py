# SPDX-License-Identifier: Apache-2.0
"""A complete minidriver for a card that is a Python object: what the mutants are made of.

It obeys every rule that the certification knows; ``MemoryCard`` can be read-only, blank, or have
further PINs. The minidriver talks to it by commands, so that removal and reset happen to it.
"""
