"""Answers for every https host on this machine: ends TLS with a certificate of its own, and hands all on to one server.

The clients speak https to hosts such as login.salesforce.com; with this as their proxy every call ends at a server on
loopback. Nothing is ever sent anywhere else. Prints its address as one line of JSON; ends with its standard input.
"""

import argparse
import json
import socket
import ssl
import sys
import threading
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

import trustme

CHUNK = 1 << 16


class Proxy:
    """A CONNECT proxy that leads to one port of 127.0.0.1, whatever host was asked for."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        self.context = cache(self._context)
        self.listener = socket.create_server(("127.0.0.1", 0))

    def _context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host).configure_cert(context)
        return context

    def serve(self) -> None:
        """Take connections, each in a thread of its own."""
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(CHUNK)
                if not part:
                    return
                head += part
            method, target, _ = head.decode("latin-1").split(" ", 2)
            if method != "CONNECT":  # plain http has no business here
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with (
                self.context(target.rpartition(":")[0]).wrap_socket(client, server_side=True) as inside,
                socket.create_connection(("127.0.0.1", self.port)) as server,
            ):
                back = threading.Thread(target=_pour, args=(server, inside), daemon=True)
                back.start()
                _pour(inside, server)
                back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until there are no more; then the other side hears so too."""
    with suppress(OSError):
        while part := source.recv(CHUNK):
            sink.sendall(part)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, help="the port of the server on 127.0.0.1")
    parser.add_argument("folder", type=Path, help="where the certificate of the authority is written")
    given = parser.parse_args()
    proxy = Proxy(given.port, given.folder)
    threading.Thread(target=proxy.serve, daemon=True).start()
    print(json.dumps({"proxy": f"http://127.0.0.1:{proxy.listener.getsockname()[1]}"}), flush=True)
    sys.stdin.read()


main()
