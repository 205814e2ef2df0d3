# SPDX-License-Identifier: Apache-2.0
"""Virtual cards: the platform for writing them, and the kinds that come with vreader."""
