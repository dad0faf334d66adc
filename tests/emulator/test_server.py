"""The server: HTTP as real clients and broken ones speak it."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from jobs.emulator.errors import not_found
from jobs.emulator.server import Server
from jobs.emulator.wire import Answer, Request, Response, Route

_CLIENTS = 16


class _Pieces:
    """A body in pieces that remembers whether it was closed."""

    closed = False

    def __init__(self) -> None:
        _Pieces.closed = False
        self._left = [b"one", b"two"]

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        return self._left.pop(0)

    def close(self) -> None:
        _Pieces.closed = True


def _length(request: Request) -> Answer:
    total = 0
    while piece := request.body.read(1000):
        total += len(piece)
    return {"length": total}


def _missing(request: Request) -> Answer:
    raise not_found("nothing there")


def _bug(request: Request) -> Answer:
    raise RuntimeError("a bug")


def _pieces(request: Request) -> Answer:
    return Response(200, _Pieces(), {"Content-Length": "6"})


def _headers(request: Request) -> Answer:
    return Response(200, b"body", {"X-Text": "a\r\nX-Evil: yes\r\n\r\nü"})


_ROUTES = [
    Route("POST", "/length", _length),
    Route("POST", "/unread", lambda request: {"read": False}),
    Route("GET", "/json", lambda request: {"text": "ü\ud800"}),
    Route("GET", "/none", lambda request: None),
    Route("GET", "/unchanged", lambda request: Response(304)),
    Route("GET", "/missing", _missing),
    Route("GET", "/bug", _bug),
    Route("GET", "/pieces", _pieces),
    Route("GET", "/headers", _headers),
    Route("GET", "/origin", lambda request: {"origin": request.origin}),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server(_ROUTES) as server:
        yield server.url


@pytest.fixture
def http(url: str) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    yield connection
    connection.close()


@pytest.fixture
def raw(url: str) -> Callable[[bytes], bytes]:
    """Sends bytes, ends the sending, and reads all that comes back."""

    def exchange(data: bytes) -> bytes:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answers:
                return answers.read()

    return exchange


def _ask(
    http: HTTPConnection, method: str, path: str, body: bytes | Iterator[bytes] | None = None
) -> tuple[HTTPResponse, bytes]:
    http.request(method, path, body, encode_chunked=isinstance(body, Iterator))
    answer = http.getresponse()
    return answer, answer.read()


def test_a_mapping_is_json(http: HTTPConnection) -> None:
    answer, body = _ask(http, "GET", "/json")
    assert (answer.status, body) == (200, '{"text": "ü?"}'.encode())
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_none_is_an_answer_without_content(http: HTTPConnection) -> None:
    answer, body = _ask(http, "GET", "/none")
    assert (answer.status, body, answer.headers["Content-Length"]) == (204, b"", None)


def test_one_connection_serves_many_requests(http: HTTPConnection) -> None:
    paths = ("/json", "/none", "/unchanged", "/missing", "/bug", "/pieces", "/nowhere", "/json")
    statuses = [_ask(http, "GET", path)[0].status for path in paths]
    assert statuses == [200, 204, 304, 404, 500, 200, 404, 200]


def test_a_head_has_the_headers_of_a_get_and_no_body(http: HTTPConnection) -> None:
    answer, body = _ask(http, "HEAD", "/json")
    assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", "15")
    assert _ask(http, "GET", "/json")[0].status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_in_pieces_is_closed_whether_it_was_sent_or_not(
    http: HTTPConnection, method: str
) -> None:
    answer, body = _ask(http, method, "/pieces")
    assert (body, answer.headers["Content-Length"]) == (b"onetwo" if method == "GET" else b"", "6")
    assert _ask(http, "GET", "/json")[0].status == 200  # the piece's answer is over by now
    assert _Pieces.closed


def test_a_refusal_is_googles_error_json(http: HTTPConnection) -> None:
    answer, body = _ask(http, "GET", "/missing")
    assert answer.status == 404
    assert b'"message": "nothing there"' in body


def test_an_address_nobody_serves_is_not_found_and_logged(
    http: HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    assert _ask(http, "GET", "/nowhere?x=1")[0].status == 404
    assert "unserved: GET /nowhere" in caplog.text


def test_a_bug_is_an_internal_error_and_logged(
    http: HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    answer, body = _ask(http, "GET", "/bug")
    assert answer.status == 500
    assert b"a bug" not in body
    assert "RuntimeError: a bug" in caplog.text


def test_a_header_cannot_end_the_headers(http: HTTPConnection) -> None:
    answer, body = _ask(http, "GET", "/headers")
    assert answer.headers["X-Evil"] is None
    assert answer.headers["X-Text"].encode("latin-1").decode().endswith("ü")
    assert body == b"body"


def test_the_origin_is_what_the_client_called(http: HTTPConnection) -> None:
    http.request("GET", "/origin", headers={"Host": "emulator.test:99"})
    assert http.getresponse().read() == b'{"origin": "http://emulator.test:99"}'


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 3 << 20])
def test_a_body_of_known_length_is_read_in_pieces(http: HTTPConnection, size: int) -> None:
    assert _ask(http, "POST", "/length", bytes(size))[1] == b'{"length": %d}' % size


@pytest.mark.parametrize("sizes", [[], [1], [999, 2, 1500], [3 << 20]])
def test_a_body_in_chunks_is_read_in_pieces(http: HTTPConnection, sizes: list[int]) -> None:
    _, body = _ask(http, "POST", "/length", (bytes(size) for size in sizes))
    assert body == b'{"length": %d}' % sum(sizes)
    assert _ask(http, "GET", "/json")[0].status == 200


@pytest.mark.parametrize("size", [10, 3 << 20])
def test_a_body_nobody_reads_does_not_disturb_the_next_request(
    http: HTTPConnection, size: int
) -> None:
    assert _ask(http, "POST", "/unread", bytes(size))[1] == b'{"read": false}'
    assert _ask(http, "GET", "/json")[0].status == 200


def test_chunks_nobody_reads_do_not_disturb_the_next_request(http: HTTPConnection) -> None:
    _ask(http, "POST", "/unread", (bytes(1000) for _ in range(5)))
    assert _ask(http, "GET", "/json")[0].status == 200


@pytest.mark.parametrize("length", [b"junk", b"-1", b"1e3", b"9" * 30, "٣".encode(), b"0x10"])
def test_a_length_that_is_none_is_refused(raw: Callable[[bytes], bytes], length: bytes) -> None:
    answer = raw(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\nbody")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("body", [b"", b"only a part"])
def test_a_body_that_ends_early_is_an_error_not_a_short_body(
    raw: Callable[[bytes], bytes], body: bytes
) -> None:
    answer = raw(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "chunks", [b"", b"zz\r\nx", b"5\r\nab", b"2\r\nabcd\r\n0\r\n\r\n", b"2\r\nab", b"-1\r\n\r\n"]
)
def test_broken_chunks_are_an_error(raw: Callable[[bytes], bytes], chunks: bytes) -> None:
    head = b"POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(head + chunks)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_trailers_and_extensions_of_chunks_are_skipped(raw: Callable[[bytes], bytes]) -> None:
    head = b"POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = raw(head + b"3;name=value\r\nabc\r\n0\r\nX-Trailer: yes\r\n\r\n")
    assert answer.endswith(b'{"length": 3}')


@pytest.mark.parametrize("line", [b"nonsense", b"GET", b"BREW /json HTTP/1.1", b"\0\xff"])
def test_a_request_that_is_none_does_not_stop_the_server(
    raw: Callable[[bytes], bytes], http: HTTPConnection, line: bytes
) -> None:
    raw(line + b"\r\n\r\n")
    assert _ask(http, "GET", "/json")[0].status == 200


def test_sixteen_clients_at_once_are_all_served(url: str) -> None:
    start = Barrier(_CLIENTS)

    def ask(_: int) -> list[int]:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        start.wait(timeout=60)
        statuses = [_ask(connection, "POST", "/length", b"x" * 100)[0].status for _ in range(10)]
        connection.close()
        return statuses

    with ThreadPoolExecutor(_CLIENTS) as pool:
        assert list(pool.map(ask, range(_CLIENTS))) == [[200] * 10] * _CLIENTS


def test_a_closed_server_is_gone() -> None:
    with Server(_ROUTES) as server:
        address = urlsplit(server.url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=60)
