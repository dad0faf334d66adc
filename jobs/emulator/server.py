"""Server: one origin on loopback, a table of routes, and one funnel that writes every answer."""

import json
import logging
import os
import re
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import parse_qs

from jobs.emulator.errors import ApiError, Unserved, cut_short
from jobs.emulator.wire import Answer, Body, Cut, Handler, Request, Response, Route, Router

log = logging.getLogger(__name__)

_NOTICE_SECONDS = 0.05  # how soon a server notices that it is to stop
_PIECE = 1 << 20
_DRAIN_LIMIT = 1 << 28  # unread and closed, a client that still sends sees a reset, not the answer
_RESET = struct.pack("ii", 1, 0)  # linger for no time: what is unsent is lost, with a reset
_CONTROLS = dict.fromkeys([*range(32), 127], " ")

Asked = Callable[[Request], Response]


class Server:
    """A context manager: serves `routes` on a thread from `start` to `close`; `url` says where.

    With `around`, what it makes of the routes is asked in their place.
    """

    def __init__(
        self, routes: Iterable[Route], port: int = 0, around: Callable[[Asked], Asked] | None = None
    ) -> None:
        self._router = Router(list(routes))
        self._outermost: Asked = around(self._routed) if around else self._routed
        self._http = _Listener(("127.0.0.1", port), _Connection)
        self._http.application = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=[_NOTICE_SECONDS], name="emulator"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def serve(self) -> None:
        """Serve on the calling thread until another calls `stop`."""
        try:
            self._http.serve_forever(_NOTICE_SECONDS)
        finally:
            self._http.server_close()

    def stop(self) -> None:
        """End `serve`; to be called from another thread than it."""
        self._http.shutdown()

    def answer(self, request: Request) -> Response:
        """What is said to a request; every refusal and every bug becomes an answer."""
        return _answered(request, self._outermost)

    def _routed(self, request: Request) -> Response:
        return _answered(request, self._dispatch)

    def _dispatch(self, request: Request) -> Answer:
        found = self._router.find(request)
        if found is None:
            message = f"The emulator does not serve {request.method} {request.path}."
            raise Unserved(404, message, "notFound", "NOT_FOUND")
        handler, matched = found
        return handler(matched)


def _answered(request: Request, handler: Handler) -> Response:
    try:
        return _as_response(handler(request))
    except Cut:
        raise
    except Unserved as error:
        log.warning("unserved: %s %s", request.method, request.path)
        return Response(error.code, error.body())
    except ApiError as error:
        return Response(error.code, None if error.code == 304 else error.body())
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return Response(500, ApiError(500, "The emulator failed; its log says why.").body())


def _as_response(answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(204) if answer is None else Response(200, answer)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # the default of 5 resets connections of 16 clients at once
    application: Server

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("a client went away", exc_info=True)


class _Headers(HTTPMessage):
    """Parsed as headers only: else each multipart request compiles an expression for its parts."""

    def get_content_maintype(self) -> str:
        return "text"


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    MessageClass = _Headers
    wbufsize = -1  # headers and body leave in one write, else each answer waits for an ACK
    timeout = 120
    server: _Listener

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            error = ApiError(400, "The request's length is not understood.", "badRequest")
            self.close_connection = True
            self._write(Response(400, error.body()))
            return
        path, _, query = self.path.partition("?")
        request = Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=path,
            query=parse_qs(query, keep_blank_values=True),
            headers=self.headers,
            body=body,
            origin=f"http://{self.headers.get('Host') or self.server.application.url[7:]}",
            answer=self.server.application.answer,
            gone=self._gone,
        )
        try:
            response = self.server.application.answer(request)
        except Cut as cut:
            self._cut(cut, body)
            return
        if not _drained(body):
            self.close_connection = True
        self._write(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _body(self) -> "_Sized | _Chunked | None":
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return _Chunked(self.rfile)
        length = self.headers.get("Content-Length") or "0"
        return _Sized(self.rfile, int(length)) if re.fullmatch(r"\d{1,18}", length) else None

    def _gone(self) -> bool:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        try:
            return bool(poll.poll(0)) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _cut(self, cut: Cut, body: Body) -> None:
        self.close_connection = True
        if cut.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            os.close(self.connection.detach())  # at once; else others would end it in order first
            return
        _drained(body)  # closed with something unread, it would be a reset
        if cut.answer:
            self._write(cut.answer, half=True)

    def _write(self, response: Response, half: bool = False) -> None:
        headers, body = dict(response.headers), response.body
        if isinstance(body, Mapping):
            body = json.dumps(body, ensure_ascii=False).encode(errors="replace")
            headers.setdefault("Content-Type", "application/json; charset=UTF-8")
        if body is None or isinstance(body, bytes):
            headers["Content-Length"] = str(len(body or b""))
        if response.status in (204, 304):
            headers.pop("Content-Length", None)
        if self.close_connection:
            headers["Connection"] = "close"
        self.send_response(response.status)
        for name, value in headers.items():
            self.send_header(name, _header_text(value))
        self.end_headers()
        pieces = (body or b"",) if body is None or isinstance(body, bytes) else body
        if half:
            pieces = _beginning(pieces, int(headers["Content-Length"]) // 2)
        try:
            if self.command != "HEAD":
                for piece in pieces:
                    self.wfile.write(piece)
        finally:
            response.close()
        self.wfile.flush()

    def version_string(self) -> str:
        return "vertune-emulator"

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)


def _beginning(pieces: Iterable[bytes], left: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _header_text(value: str) -> str:
    """What a user stored may hold any character; a header may not end early or fail to encode."""
    return value.translate(_CONTROLS).encode(errors="replace").decode("latin-1")


def _drained(body: Body) -> bool:
    """Read what the handler left, so that the next request on the connection is found."""
    with suppress(ApiError):
        for _ in range(_DRAIN_LIMIT // _PIECE):
            if not body.read(_PIECE):
                return True
    return False


class _Sized:
    """A body of known length; one that ends before it is an error, never a shorter body."""

    def __init__(self, stream: "_Stream", length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted)
        self._left -= len(data)
        if len(data) < wanted:
            raise cut_short()
        return data


class _Chunked:
    """A body in chunks (RFC 9112, 7.1); one that breaks off or is malformed is an error."""

    def __init__(self, stream: "_Stream") -> None:
        self._stream, self._left, self._done = stream, 0, False

    def read(self, size: int = -1) -> bytes:
        pieces: list[bytes] = []
        wanted = size if size >= 0 else -1
        while wanted != 0 and (self._left or self._next_chunk()):
            piece = self._stream.read(min(self._left, wanted if wanted > 0 else _PIECE))
            if not piece:
                raise cut_short()
            pieces.append(piece)
            self._left -= len(piece)
            wanted -= len(piece) if wanted > 0 else 0
            if self._left == 0 and self._stream.readline(3).strip():
                raise cut_short()
        return b"".join(pieces)

    def _next_chunk(self) -> bool:
        if self._done:
            return False
        size = self._stream.readline(100).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", size):
            raise cut_short()
        self._left = int(size, 16)
        if self._left == 0:
            self._done = True
            while self._stream.readline(8192).strip():
                continue
        return self._left > 0


class _Stream(Protocol):
    """What a connection's `rfile` offers; named for the type checker."""

    def read(self, size: int) -> bytes: ...
    def readline(self, size: int) -> bytes: ...
