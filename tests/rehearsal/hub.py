"""Hub: the part of GitHub's API that holds comments and issues, on loopback."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "acme/models"
TOKEN = "a token of this run"
_LONGEST = 65_536
_COMMENTS = re.compile(rf"/repos/{REPOSITORY}/issues/(\d+)/comments")
_COMMENT = re.compile(rf"/repos/{REPOSITORY}/issues/comments/(\d+)")
_ISSUES = re.compile(rf"/repos/{REPOSITORY}/issues")
_ISSUE = re.compile(rf"/repos/{REPOSITORY}/issues/(\d+)")


class Hub:
    """A context manager with a URL; it refuses what GitHub would refuse."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        hub = self

        class Answers(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, found = hub.answer(
                    self.command, self.path, self.headers.get("Authorization"), body
                )
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        split = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        if len(body.get("body", "")) > _LONGEST:
            return 422, {"message": "Body is too long (maximum is 65536 characters)"}
        return self._route(method, split.path, query, body)

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if found := _COMMENTS.fullmatch(path):
            of = [one for one in self.comments if one["on"] == int(found[1])]
            if method == "GET":
                return 200, _page(of, query)
            return 201, self._add(self.comments, {"on": int(found[1]), **body})
        if (found := _COMMENT.fullmatch(path)) and method == "PATCH":
            return _changed(self.comments, int(found[1]), body)
        if _ISSUES.fullmatch(path):
            if method == "GET":
                return 200, _page([one for one in self.issues if one["state"] == "open"], query)
            return 201, self._add(self.issues, {"state": "open", **body})
        if (found := _ISSUE.fullmatch(path)) and method == "PATCH":
            return _changed(self.issues, int(found[1]), body)
        return 404, {"message": "Not Found"}

    def _add(self, where: list[dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.comments) + len(self.issues) + 1
        address = f"{self.url}/{number}"
        one = {"id": number, "number": number, "html_url": address, "user": {"type": "Bot"}}
        where.append({**one, **body})
        return where[-1]


def _page(every: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, page = int(query["per_page"]), int(query["page"])
    return every[size * (page - 1) : size * page]


def _changed(every: list[dict[str, Any]], number: int, body: Any) -> tuple[int, Any]:
    for one in every:
        if one["number"] == number:
            one.update(body)
            return 200, one
    return 404, {"message": "Not Found"}
