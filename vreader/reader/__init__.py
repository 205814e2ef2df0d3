# SPDX-License-Identifier: Apache-2.0
"""The virtual reader: its driver, its callbacks, the slot a card sits in. It knows no manager."""
