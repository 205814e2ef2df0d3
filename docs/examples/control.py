# SPDX-License-Identifier: Apache-2.0
"""Remove and insert the card of a running world, without a library of ours."""

import json
import os
import socket

with socket.socket(socket.AF_UNIX) as control:
    control.connect(os.environ["VREADER_CONTROL"])
    with control.makefile("rw") as lines:
        for op in ("remove", "insert", "list"):
            lines.write(json.dumps({"op": op, "reader": 0} if op != "list" else {"op": op}) + "\n")
            lines.flush()
            print(lines.readline(), end="")
