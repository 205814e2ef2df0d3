# SPDX-License-Identifier: Apache-2.0
"""OpenSSH: logins to a private sshd with keys that never leave the card.

sshd speaks over its standard input and output (``-i``, as ssh's ProxyCommand), so nothing listens
and nothing has to be waited for. It is started by us as whoever we are, and lets in nobody else.
"""

import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.clients

MODULES = {"opensc": "opensc-pkcs11.so", "ykcs11": "libykcs11.so"}
CONFIGURATION = """\
HostKey {directory}/host
PidFile none
AuthorizedKeysFile {directory}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel VERBOSE
"""


@pytest.fixture(scope="module")
def sshd(need, tmp_path_factory) -> Path:
    """A directory with a host key and sshd's configuration, for one login after the other."""
    directory = tmp_path_factory.mktemp("sshd")
    if os.geteuid() == 0:
        # Where sshd locks itself up; Debian's service makes it, but nobody started that.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (directory / "config").write_text(CONFIGURATION.format(directory=directory))
    askpass = directory / "askpass"
    askpass.write_text("#!/bin/sh\necho 123456\n")
    askpass.chmod(0o700)
    return directory


@pytest.fixture(scope="module")
def login(need, need_module, card_world, sshd):
    """Log in with one public key; return the log of sshd."""
    keygen, ssh = need("ssh-keygen", "openssh-client"), need("ssh", "openssh-client")
    # sshd starts itself again, for which it wants to be called by its full path.
    server = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/sbin") or need(
        "sshd", "openssh-server"
    )
    if not (sshd / "host").exists():
        card_world.run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", sshd / "host")

    def login(module: str, public_key, code: int = 0) -> str:
        line = public_key.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        log = sshd / "log"
        log.write_text("")
        for name in ("authorized", "key.pub"):
            (sshd / name).write_bytes(line + b"\n")
            (sshd / name).chmod(0o600)
        options = {
            "PKCS11Provider": need_module(MODULES[module], "opensc-pkcs11 ykcs11"),
            # The card's other keys would be offered too, until sshd had enough.
            "IdentitiesOnly": "yes",
            "IdentityFile": sshd / "key.pub",
            "ProxyCommand": f"{server} -i -f {sshd}/config -E {log}",
            "UserKnownHostsFile": sshd / "known",
            "StrictHostKeyChecking": "no",
        }
        words = [word for item in options.items() for word in ("-o", "{}={}".format(*item))]
        done = card_world.run(
            *("env", f"SSH_ASKPASS={sshd / 'askpass'}", "SSH_ASKPASS_REQUIRE=force"),
            *(ssh, "-F", "none", *words, "card.test", "echo", "let in"),
            code=code,
        )
        assert done.stdout == ("" if code else "let in\n"), (done, log.read_text())
        return log.read_text()

    return login


@pytest.mark.parametrize(
    ("module", "slot"),
    [
        *(("opensc", slot) for slot in ("9a", "9c", "9e")),
        *(("ykcs11", slot) for slot in ("9a", "9c", "9d", "9e")),
    ],
)
def test_login(login, public_key, module, slot):
    kind = "RSA" if slot in ("9a", "9c") else "ECDSA"
    # What sshd accepts it has verified.
    assert f"Accepted publickey for {user()} from UNKNOWN port 65535 ssh2: {kind}" in login(
        module, public_key(slot)
    )


def test_opensc_does_not_sign_with_the_key_management_key(login, public_key):
    assert "Accepted publickey" not in login("opensc", public_key("9d"), code=255)


def user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
