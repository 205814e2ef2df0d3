# SPDX-License-Identifier: Apache-2.0
"""Reader drivers with one fault each, and the check that names it. A file for each part."""

from broken import attributes, manager, monitor, movement, protocol, sleep, verifier
from broken.base import Broken

DRIVERS: list[type[Broken]] = [
    value
    for module in (monitor, attributes, manager, verifier, protocol, sleep, movement)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Broken) and value.fails
]
