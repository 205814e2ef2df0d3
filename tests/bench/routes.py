# SPDX-License-Identifier: Apache-2.0
"""The ways an APDU can take in the bench, each ready to be used by the C client.

Ours are served by ``vreader serve``, a process for each as users have it; only the readers that are
watched while something happens to them are in this process. All routes stand ready side by side, so
that rounds can go from one to the next.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from echo import EchoCard

from vreader.bridge.pcsclite.server import PcscliteDoor
from vreader.bridge.vpcd.pcscd import PrivatePcscd
from vreader.card import FileStore
from vreader.errors import VreaderError
from vreader.host import Host
from vreader.kinds import find_kind

HERE = Path(__file__).parent
TIMEOUT_S = 120
SLOW_WARM_UP = 12  # a kernel's first acknowledgements on a connection are quick

EMBEDDED, BESIDE = "embedded", "embedded, beside a busy reader"
OURS, QUICK, PLAIN = "pcscd, our card", "pcscd, C echo, quick ACK", "pcscd, C echo, plain"
TWIN = "pcscd, libccid and T=1, our card"
SIGNING, BARE_SIGNING = "signatures", "signatures, no card around them"
MAIN, BUSY, MOVED = "Bench Main 00 00", "Bench Busy 00 00", "Bench Moved 00 00"


SELECT_PIV = "00A404000BA000000308000010000100"
SIGN_P256 = "0087119E26" + "7C2482008120" + "5A" * 32 + "00"


class Unmeasurable(Exception):  # noqa: N818 - a fact about this machine
    """A route could not be measured; the text says why."""


class BusyCard(EchoCard):
    """Works on the command 46 until told to stop."""

    def __init__(self, work) -> None:
        super().__init__()
        self.work = work
        self.started = threading.Event()
        self.stop = threading.Event()

    def transmit(self, c_apdu: bytes) -> bytes:
        if c_apdu[1] == 0x46:
            self.started.set()
            while not self.stop.is_set():
                self.work()
        return b"\x90\x00"


def run_python() -> None:
    """Some milliseconds of interpreted code."""
    value = 0
    for number in range(20_000):
        value = (value * 31 + number) & 0xFFFF


def make_rsa_key() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    rsa.generate_private_key(65537, 4096)


WORK = {"pure Python": run_python, "making RSA-4096 keys": make_rsa_key}


class Client:
    """The compiled C client, pointed at one socket and one reader."""

    def __init__(self, program: Path, socket: str, reader: str) -> None:
        self.program = program
        self.reader = reader
        self.env = {**os.environ, "PCSCLITE_CSOCK_NAME": socket}

    def start(self, mode: str, *arguments: object) -> subprocess.Popen:
        command = [self.program, mode, self.reader, *map(str, arguments)]
        return subprocess.Popen(
            command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def latencies(self, warm: int, count: int, *apdus: str) -> list[int]:
        """Nanoseconds of each of ``count`` APDUs: of the last of those given, or of a short one."""
        return [int(line) for line in finish(self.start("latency", warm, count, *apdus)).split()]


def finish(process: subprocess.Popen) -> str:
    """Wait for a client and return what it printed; raises Unmeasurable when it failed."""
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Unmeasurable(f"no end after {TIMEOUT_S} s") from None
    if process.returncode:
        raise Unmeasurable(err.strip() or f"exit code {process.returncode}")
    return out


def compile_c(directory: Path, name: str, *flags: str) -> Path:
    """Compile one of the C programs beside this file."""
    program = directory / name
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-o", program, HERE / f"{name}.c", *flags]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unmeasurable("no C compiler (apt install gcc)") from None
    except subprocess.CalledProcessError as error:
        raise Unmeasurable(f"cannot compile {name}.c: {error.stderr.strip()}") from None
    return program


def pcsclite_flags() -> list[str]:
    try:
        found = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libpcsclite"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        raise Unmeasurable(
            "libpcsclite cannot be built against (apt install libpcsclite-dev pkg-config)"
        ) from None
    return shlex.split(found.stdout)


class Routes:
    """Everything that stands ready while the bench runs.

    Attributes:
        clients: route name → the client that uses it.
        failures: (what, why) of the routes that could not be set up.
    """

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.failures: list[tuple[str, str]] = []
        self._stack = contextlib.ExitStack()
        # As in every process of ours: a busy thread must not delay another's answer.
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-4)
        self._stack.callback(sys.setswitchinterval, before)

    def __enter__(self) -> Self:
        try:
            self.directory = Path(
                self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vreader-bench-"))
            )
            self.client_program = compile_c(self.directory, "client", *pcsclite_flags())
            self._open_embedded()
            try:
                self._open_pcscd()
            except (VreaderError, Unmeasurable) as error:
                hint = f" ({error.hint})" if isinstance(error, VreaderError) else ""
                self.failures.append(("the routes through pcscd", f"{error}{hint}"))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _open_embedded(self) -> None:
        self._serve(EMBEDDED, "embedded", f"{HERE / 'echo.py'}:EchoCard")
        self._serve(SIGNING, "embedded", self._signing_card())
        self._serve(BARE_SIGNING, "embedded", f"{HERE / 'echo.py'}:SigningCard")
        host = self._stack.enter_context(Host())
        path = str(self.directory / "embedded.s")
        self.watched_socket = path
        host.add_reader(MAIN).insert(EchoCard())
        self.busy_reader = host.add_reader(BUSY)
        self.moved_reader = host.add_reader(MOVED)
        self._stack.callback(PcscliteDoor(host, path).close)
        self.clients[BESIDE] = Client(self.client_program, path, MAIN)

    def _signing_card(self) -> str:
        """A PIV card with the keys of :data:`SIGNATURES`, all in slots that need no PIN."""
        kind, path = find_kind("piv"), str(self.directory / "signing.card")
        card = kind.create("5.4.3", {}, FileStore(path), None)
        kind.provision(card, {"slot": ["9e:p256"]})
        card.close()  # type: ignore[attr-defined]
        return f"piv,state={path}"

    def _serve(self, route: str, stack: str, card: str) -> None:
        """Have ``vreader serve`` hold a card for a route."""
        command = [*vreader("serve", "--stack", stack, "--card", card), "--reader", MAIN]
        server = subprocess.Popen([*command, "--print-env"], stdout=subprocess.PIPE, text=True)
        self._stack.callback(_end, server)
        assert server.stdout is not None
        for line in server.stdout:
            name, _, value = line.removeprefix("export ").strip().partition("=")
            if name == "PCSCLITE_CSOCK_NAME":
                self.clients[route] = Client(self.client_program, value, MAIN)
                return
        raise Unmeasurable(f"vreader serve --stack {stack} did not start")

    def _open_pcscd(self) -> None:
        echo_card = compile_c(self.directory, "echo_card")
        self._serve(OURS, "pcscd", f"{HERE / 'echo.py'}:EchoCard")
        names = {QUICK: "Bench Quick 00 00", PLAIN: "Bench Plain 00 00"}
        pcscd = self._stack.enter_context(PrivatePcscd(list(names.values())))
        dials = dict(zip(names, pcscd.dials, strict=True))
        for route, mode in ((QUICK, "quick"), (PLAIN, "plain")):
            with dials[route]() as connection:
                descriptor = connection.fileno()
                card = subprocess.Popen([echo_card, str(descriptor), mode], pass_fds=[descriptor])
            self._stack.callback(_end, card)
        pcscd.wait_until_seen()
        for route, name in names.items():
            self.clients[route] = Client(self.client_program, str(pcscd.socket_path), name)
        self._serve(TWIN, "twin", f"{HERE / 'echo.py'}:EchoCard,atr=3B800181")

    # ------------------------------------------------------------------ measuring

    def latencies(self, route: str, count: int) -> list[int]:
        """Nanoseconds of ``count`` APDUs on one route; far fewer on the one that takes 44 ms."""
        if route == PLAIN:
            return self.clients[route].latencies(SLOW_WARM_UP, max(10, count // 100))
        return self.clients[route].latencies(max(20, count // 10), count)

    def signatures(self, route: str, count: int) -> list[int]:
        """Nanoseconds of ``count`` P-256 signatures on an embedded route."""
        return self.clients[route].latencies(count // 10, count, SELECT_PIV, SIGN_P256)

    def latencies_beside(self, work: str, count: int) -> list[int]:
        """The same on the embedded route while another reader's card works."""
        card = BusyCard(WORK[work])
        self.busy_reader.insert(card)
        worker = Client(self.client_program, self.watched_socket, BUSY).start("work")
        try:
            if not card.started.wait(TIMEOUT_S):
                raise Unmeasurable("the busy card was not asked to work")
            return self.latencies(BESIDE, count)
        finally:
            card.stop.set()
            finish(worker)
            self.busy_reader.remove()

    def event_delays(self, count: int) -> dict[str, list[int]]:
        """Nanoseconds from inserting (removing) a card to SCardGetStatusChange's return."""
        watcher = Client(self.client_program, self.watched_socket, MOVED).start("events", 2 * count)
        delays: dict[str, list[int]] = {"present": [], "absent": []}
        card = EchoCard()
        steps = [("present", lambda: self.moved_reader.insert(card))]
        steps.append(("absent", self.moved_reader.remove))
        assert watcher.stdout is not None
        if watcher.stdout.readline() != "ready\n":
            raise Unmeasurable(finish(watcher))
        for _ in range(count):
            for expected, step in steps:
                time.sleep(0.002)  # until the watcher waits again
                start = time.monotonic_ns()
                step()
                what, clock = watcher.stdout.readline().split()
                if what != expected:
                    raise Unmeasurable(f"{what} instead of {expected}")
                delays[what].append(int(clock) - start)
        finish(watcher)
        return delays


def vreader(*arguments: str) -> list[str]:
    """Return a vreader command line, of this very installation."""
    program = Path(sys.executable).with_name("vreader")
    return [str(program) if program.exists() else "vreader", *arguments]


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
