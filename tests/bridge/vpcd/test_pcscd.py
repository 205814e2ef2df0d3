# SPDX-License-Identifier: Apache-2.0
"""The real pcscd with the real vpcd driver, private to each test."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.vpcd.daemon import RUN_DIRECTORY, remove_pid_file
from vreader.bridge.vpcd.events import VpcdConnected, VpcdDisconnected
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.errors import UsageError, VreaderError

pytestmark = pytest.mark.pcscd

NAME = "Virtual Reader 00 00"
APDU = bytes.fromhex("00A4040000")
PATIENCE_S = 20.0
SHARED, ANY = 2, 3
ROOT = Path(__file__).resolve().parents[3]


def transmit(pcscd: PrivatePcscd, reader: str, apdu: bytes = APDU) -> bytes:
    with PcscClient(str(pcscd.socket_path)) as client:
        client.establish()
        hcard, protocol = client.connect(reader, SHARED, ANY)
        return client.transmit(hcard, protocol, apdu)


@pytest.fixture(scope="session")
def namespaces(pcscd_installed):
    try:
        with PrivatePcscd([NAME], isolate=True):
            pass
    except VreaderError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error} ({error.hint})")


@pytest.fixture(params=["namespaces", "plain"])
def isolate(request, pcscd_installed):
    if request.param == "namespaces":
        request.getfixturevalue("namespaces")
    return request.param == "namespaces"


def test_a_program_talks_to_the_card(make_pcscd, reader, isolate):
    pcscd, _ = make_pcscd({NAME: reader}, isolate=isolate)
    pcscd.wait_until_seen()
    assert bool(pcscd.warnings) is not isolate
    assert transmit(pcscd, NAME) == APDU[:4] + b"\x90\0"
    assert pcscd.socket_path.stat().st_mode & 0o777 == 0o700  # sockets need no x, nor lose it
    assert pcscd.socket_path.parent.stat().st_mode & 0o777 == 0o700
    directory = pcscd.socket_path.parent
    pcscd.stop()
    assert not directory.exists()


@pytest.mark.clients
def test_opensc_sees_it(make_pcscd, reader):
    pcscd, _ = make_pcscd({NAME: reader})
    pcscd.wait_until_seen()
    env = {**os.environ, "PCSCLITE_CSOCK_NAME": str(pcscd.socket_path)}
    result = subprocess.run(
        ["opensc-tool", "-a"], env=env, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert result.stdout.strip().replace(":", "") == reader.atr.hex()


def test_cards_do_not_mix(make_pcscd, make_reader, isolate):
    readers = {
        name: make_reader(atr=bytes([0x3B, 0x01, number]))
        for number, name in enumerate(["A 00 00", "B 00 00", "A 00 01", "Yubico é 'x' # 00 00"])
    }
    pcscd, _ = make_pcscd(readers, isolate=isolate)
    pcscd.wait_until_seen()
    with PcscClient(str(pcscd.socket_path)) as client:
        seen = {state.name: state.atr for state in client.readers()}
    assert {name: seen[name] for name in readers} == {n: r.atr for n, r in readers.items()}
    for number, (name, handle) in enumerate(readers.items()):
        apdu = bytes([0, number, 1, 2, 0])
        assert transmit(pcscd, name, apdu) == apdu[:4] + b"\x90\0"
        assert [r for r in handle.requests if "TRANSMIT" in r] == [
            f"TRANSMIT 0200000008000000 {apdu.hex()}"
        ]


def test_removal_and_insertion_are_seen(make_pcscd, reader):
    pcscd, _ = make_pcscd({NAME: reader})
    pcscd.wait_until_seen()
    with PcscClient(str(pcscd.socket_path)) as client:
        states = client.readers()
        reader.remove()
        while any(state.atr for state in states):
            states = client.get_status_change(states, PATIENCE_S)
        reader.insert()
        while not any(state.atr for state in states):
            states = client.get_status_change(states, PATIENCE_S)


def test_no_connection_is_inherited(pcscd_installed):
    """A child that held one would keep pcscd waiting for a card that has been removed."""
    with PrivatePcscd([NAME]) as pcscd, pcscd.dials[0]() as connection:
        assert not os.get_inheritable(connection.fileno())


def test_restart(make_pcscd, reader, log, isolate):
    pcscd, _ = make_pcscd({NAME: reader}, isolate=isolate)
    for count in (1, 2):
        log.wait_for(VpcdConnected, count)
        pcscd.wait_until_seen()
        assert transmit(pcscd, NAME) == APDU[:4] + b"\x90\0"
        pcscd.restart()
        log.wait_for(VpcdDisconnected, count)


def processes_with(token: str) -> dict[int, str]:
    """Processes whose environment has ``token``, but this one."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if token.encode() in (directory / "environ").read_bytes():
                found[int(directory.name)] = (directory / "cmdline").read_text()
    return found


def wait_until(condition) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_pcscd_that_dies_is_replaced(make_pcscd, reader, log, monkeypatch):
    monkeypatch.setenv("VREADER_TEST", token := f"dies-{os.urandom(8).hex()}")
    pcscd, _ = make_pcscd({NAME: reader})
    pcscd.wait_until_seen()
    (victim,) = [pid for pid, cmd in processes_with(token).items() if "pcscd\0" in cmd]
    os.kill(victim, signal.SIGSEGV)
    log.wait_for(VpcdDisconnected)
    log.wait_for(VpcdConnected, 2)
    pcscd.wait_until_seen()
    assert transmit(pcscd, NAME) == APDU[:4] + b"\x90\0"


def test_run_pcscd_may_be_removed_outside(make_pcscd, reader, namespaces, monkeypatch):
    """A directory that somebody removes takes what is mounted on it elsewhere with it."""
    monkeypatch.setenv("VREADER_TEST", token := f"removed-{os.urandom(8).hex()}")
    with contextlib.suppress(OSError):  # another user's, or not possible
        Path(RUN_DIRECTORY).mkdir()
    pcscd, _ = make_pcscd({NAME: reader}, isolate=True)
    with contextlib.suppress(OSError):
        Path(RUN_DIRECTORY).rmdir()
    (pid,) = [pid for pid, cmd in processes_with(token).items() if "pcscd\0" in cmd]
    places = [line.split()[4] for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    assert "/run" in places
    assert RUN_DIRECTORY not in places
    pcscd.restart()
    pcscd.wait_until_seen()


def test_two_at_once(make_pcscd, make_reader, isolate):
    first, _ = make_pcscd({NAME: make_reader()}, isolate=isolate)
    second, _ = make_pcscd({NAME: make_reader()}, isolate=isolate)
    for pcscd in (first, second):
        pcscd.wait_until_seen()
        assert transmit(pcscd, NAME) == APDU[:4] + b"\x90\0"


# Nothing is left behind.

SCRIPT = """
import sys
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.errors import VreaderError
print("begin", flush=True)
try:
    with PrivatePcscd(["Virtual Reader 00 00", "B 00 00"], isolate=eval(sys.argv[1])) as pcscd:
        print(pcscd.socket_path, flush=True)
        sys.stdin.read()
except VreaderError as error:
    print(error, flush=True)
"""


@pytest.fixture
def private_tmp():
    path = Path(tempfile.mkdtemp(prefix="vt-", dir="/tmp"))  # short, and open to another user
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def parent_process(private_tmp: Path, isolate: bool | None, prefix: tuple[str, ...] = ()):
    token = f"vreader-test-{os.urandom(8).hex()}"
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", SCRIPT, str(isolate)],
        env={
            **os.environ,
            "TMPDIR": str(private_tmp),
            "XDG_RUNTIME_DIR": "",
            "VREADER_TEST": token,
        },
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process, token
        process.kill()
    assert wait_until(lambda: not processes_with(token)), processes_with(token)
    assert wait_until(lambda: not list(private_tmp.iterdir())), list(private_tmp.iterdir())


def test_sigkill_of_the_parent(private_tmp, isolate):
    with parent_process(private_tmp, isolate) as (process, token):
        assert process.stdout.readline() == "begin\n"
        assert Path(process.stdout.readline().strip()).is_socket()
        assert len(processes_with(token)) == 4  # parent, keeper, init, pcscd
        process.kill()


@pytest.mark.parametrize("delay_ms", [0, 5, 10, 20, 30, 40, 60, 80, 100])
def test_sigkill_of_the_parent_while_it_starts(private_tmp, pcscd_installed, delay_ms):
    with parent_process(private_tmp, None) as (process, _):
        assert process.stdout.readline() == "begin\n"
        # The moment is the parameter here: any must do.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(delay_ms / 1000)
        process.kill()


@pytest.mark.parametrize("victim", [0, 1], ids=["keeper", "init"])
def test_sigkill_of_the_supervisor(private_tmp, isolate, victim):
    made = not Path(RUN_DIRECTORY).exists()
    with parent_process(private_tmp, isolate) as (process, token):
        process.stdout.readline()
        process.stdout.readline()
        found = processes_with(token)
        supervisor = sorted(p for p, c in found.items() if "supervisor" in c)
        os.kill(supervisor[victim], signal.SIGKILL)
        assert wait_until(lambda: len(processes_with(token)) == 1)
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
    if made and not isolate:  # for want of a supervisor
        remove_pid_file(and_directory=True)


def test_an_ordinary_user(private_tmp, isolate):
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        # Reading only, since this interpreter may live in a directory of root's.
        caps = "-all,+dac_read_search"
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        prefix += (f"--inh-caps={caps}", f"--ambient-caps={caps}")
    # Without namespaces pcscd needs a directory that only root can make, and says so.
    possible = isolate or Path("/run/pcscd").exists()
    with parent_process(private_tmp, isolate, prefix) as (process, _):
        assert process.stdout.readline() == "begin\n"
        line = process.stdout.readline()
        if not possible:
            assert line.startswith("pcscd ended at once (exit status 1), and said: ")
            assert "/run/pcscd" in line
            return
        path = Path(line.strip())
        assert path.is_socket()
        assert path.stat().st_uid == (65534 if prefix else os.getuid())
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


# What goes wrong is said.


def test_directory_of_ones_own(private_tmp, pcscd_installed):
    with PrivatePcscd([NAME], directory=private_tmp / "mine") as pcscd:
        assert pcscd.socket_path == private_tmp / "mine" / "pcscd.comm"
        with pytest.raises(VreaderError, match="File exists"):
            PrivatePcscd([NAME], directory=private_tmp / "mine").start()
        assert pcscd.socket_path.is_socket()
    assert not (private_tmp / "mine").exists()


def test_a_directory_around_goes_with_it(private_tmp, pcscd_installed):
    world = private_tmp / "world"
    world.mkdir()
    (world / "control").touch()
    with PrivatePcscd([NAME], directory=world / "mine", around=world):
        assert (world / "control").exists()
    assert not world.exists()


def test_a_directory_around_stays_when_nothing_starts(private_tmp, pcscd_installed):
    (private_tmp / "mine").mkdir()
    with pytest.raises(VreaderError, match="File exists"):
        PrivatePcscd([NAME], directory=private_tmp / "mine", around=private_tmp).start()
    assert (private_tmp / "mine").exists()


def test_a_directory_below_run(pcscd_installed):
    # Which pcscd sees covered by an empty one.
    base = Path(os.environ.get("XDG_RUNTIME_DIR", "/run"))
    if not os.access(base, os.W_OK):
        base = Path("/dev/shm")
    name = base / f"vt-{os.urandom(6).hex()}"
    with PrivatePcscd([NAME], directory=name) as pcscd:
        assert pcscd.socket_path.is_socket()
    assert not name.exists()


def test_a_name_pcscd_cannot_give(pcscd_installed):
    with pytest.raises(UsageError):
        PrivatePcscd(["Virtual Reader"]).start()


def test_a_pcscd_that_ends_at_once_is_quoted(private_tmp, pcscd_installed):
    real = shutil.which("pcscd", path="/usr/sbin:/sbin:" + os.environ["PATH"])
    script = private_tmp / "pcscd"
    script.write_text(
        f'#!/bin/sh\ncase "$1" in --foreground) echo "00000012 No room"; exit 3;; esac\n'
        f'exec {real} "$@"\n'
    )
    script.chmod(0o755)
    with pytest.raises(VreaderError) as error:
        PrivatePcscd([NAME], pcscd=str(script)).start()
    assert str(error.value) == "pcscd ended at once (exit status 3), and said: No room"
    script.unlink()


def test_a_card_that_is_never_seen(make_pcscd, reader):
    reader.remove()
    pcscd, _ = make_pcscd({NAME: reader})
    with pytest.raises(VreaderError, match="does not see the card"):
        pcscd.wait_until_seen(timeout_s=0.0)


def test_after_stop_all_calls_say_so(pcscd_installed):
    pcscd = PrivatePcscd([NAME])
    pcscd.start()
    pcscd.stop()
    pcscd.stop()
    with pytest.raises(VreaderError, match="not running"):
        pcscd.dials[0]()
    with pytest.raises(VreaderError, match="not running"):
        pcscd.restart()


def test_no_file_is_written_to_find_a_directory():
    """As tempfile does: a parent that is killed meanwhile leaves it behind."""
    code = "import sys; import vreader.bridge.vpcd.pcscd; print('tempfile' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout == "False\n"


def test_the_supervisor_needs_the_standard_library_only():
    code = (
        "import sys; sys.path.append(sys.argv[1]); import vreader.bridge.vpcd.supervisor; "
        "print(*sorted(m for m in sys.modules if m.startswith('vreader.')))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)], capture_output=True, text=True
    )
    assert result.stdout.split() == [
        "vreader.bridge",
        "vreader.bridge.vpcd",
        "vreader.bridge.vpcd.daemon",
        "vreader.bridge.vpcd.namespaces",
        "vreader.bridge.vpcd.supervisor",
    ]
