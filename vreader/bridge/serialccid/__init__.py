# SPDX-License-Identifier: Apache-2.0
"""The serial CCID door: our readers as GemPC Twins on a serial line, for drivers that are not ours.

The driver on the other side is libccid's ``libccidtwin.so``, loaded by pcscd; it speaks T=1 and T=0
to the card by itself. Nothing is imported here: each module is imported where it is needed.
"""
