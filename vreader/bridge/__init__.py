# SPDX-License-Identifier: Apache-2.0
"""The doors: how programs, drivers and people outside the process reach a host."""
