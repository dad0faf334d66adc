"""GitHub: comments and issues that a workflow keeps, each found again by a mark in its text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from jobs.runner import remote
from jobs.runner.errors import Unreachable, VertuneError

LIMIT = 65_000  # GitHub takes 65,536 characters
_PAGE = 100
_NEEDED = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN")


@dataclass(frozen=True)
class GitHub:
    """The issues of one repository, which its pull requests are among."""

    url: str
    repository: str
    token: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> GitHub:
        """As a workflow's environment names it. Raises VertuneError for what is not set."""
        missing = [name for name in _NEEDED if not environment.get(name)]
        if missing:
            raise VertuneError(
                f"{', '.join(missing)} must be set, as in a workflow:"
                " `GITHUB_TOKEN: ${{ github.token }}`"
            )
        return cls(*(environment[name] for name in _NEEDED))

    def comment(self, number: int, key: str, text: str) -> str:
        """Write the comment of this key to a pull request, over the one that is there."""
        comments = f"issues/{number}/comments"
        for one in self._every(f"{comments}?"):
            if _is(one, key):
                return _address(
                    self._call("PATCH", f"issues/comments/{one['id']}", _body(key, text))
                )
        return _address(self._call("POST", comments, _body(key, text)))

    def issue(self, title: str, key: str, text: str) -> str:
        """Open the issue of this key, or write over the one that is open."""
        found = self._open_issue(key)
        if found is not None:
            return _address(self._call("PATCH", f"issues/{found}", _body(key, text)))
        return _address(self._call("POST", "issues", {"title": title, **_body(key, text)}))

    def close(self, key: str) -> str | None:
        """Close the issue of this key, if one is open."""
        found = self._open_issue(key)
        if found is None:
            return None
        return _address(self._call("PATCH", f"issues/{found}", {"state": "closed"}))

    def _open_issue(self, key: str) -> int | None:
        issues = (one for one in self._every("issues?state=open&") if "pull_request" not in one)
        return next((int(one["number"]) for one in issues if _is(one, key)), None)

    def _every(self, path: str) -> Iterator[dict[str, Any]]:
        page, found = 1, [dict[str, Any]()] * _PAGE
        while len(found) == _PAGE:
            found = self._call("GET", f"{path}per_page={_PAGE}&page={page}")
            yield from found
            page += 1

    def _call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        doing = f"{method} {path.partition('?')[0]} of {self.repository}"
        request = Request(
            f"{self.url}/repos/{self.repository}/{path}",
            data=json.dumps(body).encode() if body else None,
            method=method,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urlopen(request, timeout=remote.timeout()) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise VertuneError(
                    f"{doing}: {error.code} {error.reason}: {_said(error)}; the job's `permissions`"
                    " need pull-requests: write for comments, issues: write for issues"
                ) from None
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(f"{doing}: {self.url} does not answer ({error})") from error


def _is(one: Mapping[str, Any], key: str) -> bool:
    """What people write is left alone, whatever they copied into it."""
    by = one.get("user") or {}
    return by.get("type") == "Bot" and (one.get("body") or "").startswith(_mark(key))


def _mark(key: str) -> str:
    return f"<!-- vertune: {key} -->"


def _body(key: str, text: str) -> dict[str, str]:
    return {"body": f"{_mark(key)}\n{text}"}


def _address(answer: Mapping[str, Any]) -> str:
    return str(answer.get("html_url"))


def _said(error: HTTPError) -> str:
    try:
        return str(json.load(error)["message"])
    except (ValueError, LookupError, TypeError):
        return "no reason given"
