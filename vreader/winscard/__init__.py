# SPDX-License-Identifier: Apache-2.0
"""The resource manager (winscard): contexts, card handles, sharing, transactions, status.

It knows readers only as devices of the I/O manager, no socket, and never blocks.
"""
