# SPDX-License-Identifier: Apache-2.0
"""Minidriver DLLs for Windows, loaded under Wine by a small program of ours.

The DLL runs in another process, so that it may crash and hang; its calls come back as those of a
:class:`~vreader.minidriver.module.Module`. Its winscard calls reach our resource manager through
our own winscard.dll.
"""
