# SPDX-License-Identifier: Apache-2.0
"""The smart card driver library (smclib): what every reader driver shares; no reader."""
