# SPDX-License-Identifier: Apache-2.0
"""Answers side by side: a table for the terminal, JSON, and a page to click through."""
