# SPDX-License-Identifier: Apache-2.0
"""Reference minidrivers in Python: PIV and GIDS, and the class minidriver that chooses of them.

They do what the pages "Windows Inbox Smart Card Minidriver" and "Smart Card Minidriver
Specification" say, over the SCard functions of a machine. Nothing of Microsoft's is in them, and
where the pages are silent they need not be as Windows' own is.
"""
