# SPDX-License-Identifier: Apache-2.0
import os
import socket

from vreader.bridge.vpcd.daemon import free_ports, owns_listener, write_files


def test_free_ports_are_free_and_consecutive():
    first = free_ports(4)
    for port in range(first, first + 4):
        with socket.socket() as sock:
            sock.bind(("", port))


def test_the_owner_of_a_listener_is_told_from_others():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert owns_listener(os.getpid(), port)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))  # bound, but it does not listen
            assert not owns_listener(os.getpid(), other.getsockname()[1])
        child = os.fork()
        if child == 0:
            server.close()
            os.pause() if hasattr(os, "pause") else os.read(os.pipe()[0], 1)
        try:
            # A copy made by fork is closed soon; a stranger never owns the port.
            assert not owns_listener(1, port)
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)


def test_one_stanza_and_one_driver_for_each_name(tmp_path):
    conf = write_files(str(tmp_path), ["Virtual Reader", "Yubico é"], [35963, 35965], b"\x7fELF")
    text = (tmp_path / "conf.d" / "vpcd").read_text(encoding="utf-8")
    assert conf == str(tmp_path / "conf.d")
    assert text.split("\n\n")[1] == (
        'FRIENDLYNAME "Yubico é"\n'
        "DEVICENAME /dev/null:0x8C7D\n"
        f"LIBPATH {tmp_path}/libifdvpcd-1.so\n"
        "CHANNELID 0x8C7D"
    )
    assert (tmp_path / "libifdvpcd-0.so").read_bytes() == b"\x7fELF"


def test_a_driver_of_serial_lines_is_told_its_device(tmp_path):
    devices = ["/dev/pts/7:GemPCTwin"]
    write_files(str(tmp_path), ["A"], [0], b"\x7fELF", devices=devices, stem="libccidtwin")
    assert (tmp_path / "conf.d" / "vpcd").read_text(encoding="utf-8").strip() == (
        'FRIENDLYNAME "A"\n'
        "DEVICENAME /dev/pts/7:GemPCTwin\n"
        f"LIBPATH {tmp_path}/libccidtwin-0.so\n"
        "CHANNELID 0x0"
    )
