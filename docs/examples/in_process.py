# SPDX-License-Identifier: Apache-2.0
"""Readers in this process, without a socket: insert, remove, and listen to what happens."""

from counter import Counter

from vreader.host import Host

with Host() as host:
    host.events.subscribe(print)
    reader = host.add_reader("Virtual Reader")
    reader.insert(Counter())
    print(reader.name, reader.state.name)
    reader.remove()
    print(reader.name, reader.state.name)
