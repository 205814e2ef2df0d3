# SPDX-License-Identifier: Apache-2.0
"""The embedded door: unmodified libpcsclite programs reach our resource manager."""
