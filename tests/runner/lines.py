"""Lines: what may be at an address instead of a service: nobody, silence, rubbish, a cut line."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from urllib.parse import urlsplit


def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return _url(taken)


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        yield _url(server)


@contextmanager
def saying(*words: bytes) -> Iterator[str]:
    """A server that says one thing to each caller and hangs up; the last to all who come later."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(64)
        thread = threading.Thread(target=_say, args=(server, words))
        thread.start()
        try:
            yield _url(server)
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _say(server: socket.socket, words: Sequence[bytes]) -> None:
    for said in chain(words, repeat(words[-1])):
        try:
            caller, _ = server.accept()
        except OSError:
            return
        with caller, suppress(OSError):
            caller.recv(1 << 16)
            caller.sendall(said)


def http(status: int, body: str, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


@dataclass
class Line:
    """A way to a server; `cut` says of which requests the answer is lost after they were served."""

    url: str
    asked: list[str] = field(default_factory=list)  # METHOD PATH of every request
    bodies: list[bytes] = field(default_factory=list)
    cut: Callable[[str], bool] = lambda request: False


@contextmanager
def line(to: str) -> Iterator[Line]:
    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = f"{self.command} {self.path}"
            way.asked.append(request)
            way.bodies.append(body)
            server = HTTPConnection(str(urlsplit(to).netloc))
            server.request(self.command, self.path, body, dict(self.headers.items()))
            answer = server.getresponse()
            data = answer.read()
            server.close()
            if way.cut(request):
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        way = Line(_url(server.socket))
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield way
        finally:
            server.shutdown()
            thread.join()


def once(start: str) -> Callable[[str], bool]:
    """Cut the first request that starts like this, and no other."""
    cut: list[str] = []

    def first(request: str) -> bool:
        if cut or not request.startswith(start):
            return False
        cut.append(request)
        return True

    return first
