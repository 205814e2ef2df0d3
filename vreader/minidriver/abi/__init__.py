# SPDX-License-Identifier: Apache-2.0
"""The binary interface between Windows and a smart card minidriver: numbers and layouts.

Written from Microsoft's documentation; no behaviour, no card and no host is known here. Names of
structures, members and functions are the documented ones.
"""
