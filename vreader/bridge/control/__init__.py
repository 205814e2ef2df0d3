# SPDX-License-Identifier: Apache-2.0
"""The control door: insert, remove and reset cards of a running world over a private socket.

One JSON object a line each way. Requests carry ``op`` (list, insert, remove, reset, log, quit) and
optionally ``reader`` (name or number), ``card`` (a SPEC) and ``after`` (of log); replies carry
``ok`` and, when it is false, ``error``, ``hint`` and ``exit_code``. docs/reference/control.md
describes them.
"""

MAX_LINE = 65536
ENVIRONMENT = "VREADER_CONTROL"
