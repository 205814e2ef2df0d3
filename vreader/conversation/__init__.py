# SPDX-License-Identifier: Apache-2.0
"""Conversations between programs and cards: compared, played again, told to people.

What was said comes from a recording (:mod:`vreader.recording`) or from a reader at work.
"""
