# SPDX-License-Identifier: Apache-2.0
"""The least a Python card can be, for ``vreader serve --card echo.py:EchoCard``."""


class EchoCard:
    """Answers every command with 9000."""

    def power_on(self) -> bytes:
        return bytes.fromhex("3B80800101")

    def reset(self) -> bytes:
        return bytes.fromhex("3B80800101")

    def power_off(self) -> None:
        pass

    def transmit(self, c_apdu: bytes) -> bytes:
        return b"\x90\x00"
