# SPDX-License-Identifier: Apache-2.0
"""Serve HTTPS to those who have a certificate, for as long as a command runs.

    python3 server.py COMMAND [ARG]...       the command finds the server's address in $URL

It listens on a free port of 127.0.0.1 and returns the command's exit code.
"""

import http.server
import os
import ssl
import subprocess
import sys
import threading


class Greeter(http.server.BaseHTTPRequestHandler):
    """Says who the client is."""

    def setup(self) -> None:
        # Here, in the connection's own thread, and not while others wait to be accepted.
        self.request.settimeout(10)
        self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        subject = dict(pair for (pair,) in self.connection.getpeercert()["subject"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello {subject['commonName']}\n".encode())

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """Remembers why clients were sent away."""

    daemon_threads = False  # server_close waits for connections

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Greeter)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.refused: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        self.refused.append(str(sys.exc_info()[1]))


def main() -> int:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="ca.pem")
    context.load_cert_chain("server.pem", "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(context)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        url = f"https://localhost:{server.server_port}/"
        return subprocess.run(sys.argv[1:], env=os.environ | {"URL": url}).returncode
    finally:
        server.shutdown()
        server.server_close()
        for reason in server.refused:
            print(f"server: {reason}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
