# SPDX-License-Identifier: Apache-2.0
"""vreader: virtual smart card readers and cards for real PC/SC programs."""

__version__ = "0.1.0"
