# SPDX-License-Identifier: Apache-2.0
"""Our winscard.dll under Wine: what a Windows program gets from our resource manager."""

import shutil
import subprocess

from dll_desk import HERE, Desk

from vreader.bridge.winscard_tcp.door import WinscardTcpDoor
from vreader.minidriver.dll.toolchain import WINSCARD, Program, build

EXPECTED = """\
established 00000000
started 00000000
list 00000000
readers 8 Desk 0
length 00000000
short 80100008
wide 00000000
nocontext 00000000
look 00000000
timeout 8010000A
cancelled 1
waiting
change 00000000
event 22 atr 23
connect 00000000
status 00000000
name Desk 0 state 6 atr 23
shortname 80100008
begin 00000000
transmit 00000000
sw 9000
room 80100008
end 00000000
attrib 00000000
system Desk 0
control 00000000
disconnect 00000000
gone 80100003
introduce 00000000
interfaces 00000000
interfaces 1 1
provider 00000000
provider 1
cards 00000000
card 10 Kärtchen
locate 00000000
match 1
forget 00000000
unknown 8010000D
write 00000000
read 00000000
cache 3 abc
free 00000000
release 00000000
released 80100003
"""


def test_a_windows_program_gets_what_windows_would_say(wine, tmp_path):
    probe = Program("probe.exe", "probe.c", ("-lwinscard",))
    made = build(WINSCARD, probe, extra={"probe.c": (HERE / "probe.c").read_bytes()})
    for program in (WINSCARD, probe):
        shutil.copy(made / program.file, tmp_path)
    desk = Desk()
    desk.reader.remove()
    door = WinscardTcpDoor(desk.host)
    process = subprocess.Popen(
        [wine.wine, "probe.exe"],
        env=wine.environment() | {"VREADER_WINSCARD": door.address},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line.decode("cp1252").rstrip("\r\n"))
            if said[-1] == "waiting":
                desk.reader.insert(desk.card)
        assert process.wait(30) == 0
        assert said == EXPECTED.splitlines()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        door.close()
        desk.close()


def test_without_the_door_there_is_no_service(wine, tmp_path):
    probe = Program("probe.exe", "probe.c", ("-lwinscard",))
    made = build(WINSCARD, probe, extra={"probe.c": (HERE / "probe.c").read_bytes()})
    for program in (WINSCARD, probe):
        shutil.copy(made / program.file, tmp_path)
    result = subprocess.run(
        [wine.wine, "probe.exe"],
        env=wine.environment() | {"VREADER_WINSCARD": f"1:{bytes(32).hex()}"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.stdout.startswith(b"established 8010001D")
