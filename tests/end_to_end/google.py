"""Google: its hosts by their own names and over TLS, for a program that can be told of no other.

A proxy that ends TLS by a certificate of its own and hands on to the emulator, on loopback.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

import trustme

HOSTS = ("storage.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com")
_MOST = 1 << 16


class Google:
    """A context manager; `environment` is what a Go program goes by."""

    def __init__(self, url: str, folder: Path) -> None:
        authority, self._file = trustme.CA(), folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self._file))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.context)
        self.address = (str(urlsplit(url).hostname), int(urlsplit(url).port or 0))
        google = self

        class Answers(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):  # either end may break off
                    asked = self.rfile.readline()
                    while self.rfile.readline() not in (b"\r\n", b""):
                        pass
                    google.tunnel(self.connection, asked.decode())

        class Server(ThreadingTCPServer):
            daemon_threads, block_on_close = True, False

        self._server = Server(("127.0.0.1", 0), Answers)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def environment(self) -> dict[str, str]:
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "SSL_CERT_FILE": str(self._file)}

    def __enter__(self) -> Google:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def tunnel(self, client: socket.socket, asked: str) -> None:
        """Of any other host it knows nothing."""
        method, host, *_ = [*asked.split(), "", ""]
        if method != "CONNECT" or host.removesuffix(":443") not in HOSTS:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with (
            self.context.wrap_socket(client, server_side=True) as inside,
            socket.create_connection(self.address) as outside,
        ):
            _handed_on(inside, outside)


def _handed_on(inside: ssl.SSLSocket, outside: socket.socket) -> None:
    """What either end says, until one of them ends; by one thread, for TLS takes no two."""
    while True:
        ready = [inside] if inside.pending() else select.select([inside, outside], [], [])[0]
        for source in ready:
            data = source.recv(_MOST)
            if not data:
                return
            (outside if source is inside else inside).sendall(data)
