# SPDX-License-Identifier: Apache-2.0
"""A scripted card in a reader, and a real program that talks to it."""

import pytest

TALK = """
otherwise = "6D00"
[[exchange]]
name = "greeting"
command = "80 10 00 00 00"
answer = "48 69 90 00"
"""


@pytest.mark.clients
def test_opensc_tool(need, serve, tmp_path):
    tool = need("opensc-tool", "opensc")
    path = tmp_path / "talk.toml"
    path.write_text(TALK)
    served = serve("--card", f"scripted,file={path}")
    sent = served.run(tool, "-r", "0", "-s", "80:10:00:00:00", "-s", "80:11:00:00:00").stdout
    assert "Received (SW1=0x90, SW2=0x00):\n48 69 Hi" in sent
    assert "Received (SW1=0x6D, SW2=0x00)" in sent
    code, said = served.stop()
    assert code == 0
    assert f"{path}: no exchange fits 80 11 00 00 00: nearest is exchange 1 ('greeting')" in said
