# SPDX-License-Identifier: Apache-2.0
"""The rules of parameters that every minidriver has to keep, whatever its card is.

One function for each Card* function, with the same parameters behind the negotiated version: it
raises MinidriverError or returns nothing. Whether a container, a file or a PIN exists is the
minidriver's own affair. Sources are the pages of the Smart Card Minidriver Specification under each
function's name; where they are silent OpenSC's minidriver is followed ("assumed" beside it).

These rules serve minidrivers. The certification must not import them: it would examine a minidriver
with the minidriver's own opinion. A test holds that.
"""
