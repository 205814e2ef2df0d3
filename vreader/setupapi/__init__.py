# SPDX-License-Identifier: Apache-2.0
"""INF files: read, choose what fits the system, install on a registry, lint. It knows no host."""
