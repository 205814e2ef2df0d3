# SPDX-License-Identifier: Apache-2.0
"""The door for Windows programs under Wine: our own ``winscard.dll`` comes in by loopback TCP."""
