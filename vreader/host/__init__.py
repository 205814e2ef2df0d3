# SPDX-License-Identifier: Apache-2.0
"""One simulated computer. Threads and the real clock live here; rooms below never block."""

from vreader.host.device import DeviceHandle, Request
from vreader.host.host import Host
from vreader.host.reader import HostReader

__all__ = ["DeviceHandle", "Host", "HostReader", "Request"]
