# SPDX-License-Identifier: Apache-2.0
"""The minidriver bench: what Windows' Base CSP loads for a card, without Windows.

``abi`` knows the binary interface and nothing else. ``interface`` is the same interface for
minidrivers in Python, ``rules`` the checks of parameters that are the same for all of them.
"""
