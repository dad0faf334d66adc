"""Injection: what the rules in force make of a request, before and after its handler acts."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from tempfile import SpooledTemporaryFile

from jobs.emulator.errors import ApiError, invalid
from jobs.emulator.faults.faults import Armed, Faults
from jobs.emulator.faults.reading import RulesError, rule
from jobs.emulator.faults.rule import Rule
from jobs.emulator.wire import Cut, Request, Response

HEADER = "X-Vertune-Fault"
CONTROL = "/emulator/faults"

_LOOK_SECONDS = 0.05  # how often a held request looks for its client
_IN_MEMORY = 1 << 20
# The words of the JSON API and of the RPC services.
_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("invalid", "INVALID_ARGUMENT"),
    401: ("authError", "UNAUTHENTICATED"),
    403: ("forbidden", "PERMISSION_DENIED"),
    404: ("notFound", "NOT_FOUND"),
    408: ("requestTimeout", "DEADLINE_EXCEEDED"),
    409: ("conflict", "ABORTED"),
    412: ("conditionNotMet", "FAILED_PRECONDITION"),
    429: ("rateLimitExceeded", "RESOURCE_EXHAUSTED"),
    500: ("backendError", "INTERNAL"),
    501: ("notImplemented", "UNIMPLEMENTED"),
    503: ("backendError", "UNAVAILABLE"),
    504: ("backendError", "DEADLINE_EXCEEDED"),
}


class Injection:
    """Stands around the routes; requests within a batch pass it one by one, as if alone."""

    def __init__(self, faults: Faults, routes: Callable[[Request], Response]) -> None:
        self._faults, self._routes = faults, routes

    def __call__(self, request: Request) -> Response:
        if request.path == CONTROL or request.path.startswith(f"{CONTROL}/"):
            return self._routes(request)
        due = self._faults.due(request)
        if (text := request.headers.get(HEADER)) is not None:
            due = [*due, Armed(_of_header(text))]
        return self._injected(request, due) if due else self._routes(request)

    def _injected(self, request: Request, due: list[Armed]) -> Response:
        with _arrived(request) as whole:
            for armed in due:
                if armed.rule.when == "before" and (answer := self._act(armed, whole)):
                    return answer
            response = self._routes(whole)
            for armed in due:
                if armed.rule.when == "after":
                    response = self._act(armed, whole, response) or response
            return response

    def _act(
        self, armed: Armed, request: Request, response: Response | None = None
    ) -> Response | None:
        """The answer if the rule gives another one; `response` is the handler's, once it acted."""
        try:
            with self._faults.hit(armed):
                return self._done(armed, request, response)
        except (Cut, ApiError) as error:
            if response and getattr(error, "answer", None) is not response:
                response.close()
            raise

    def _done(self, armed: Armed, request: Request, response: Response | None) -> Response | None:
        if armed.rule.delay and self._faults.lifted(armed, armed.rule.delay):
            return None
        while armed.rule.hold and not self._faults.lifted(armed, _LOOK_SECONDS):
            if request.gone():
                raise Cut
        return _outcome(armed.rule, response)


def _outcome(rule: Rule, response: Response | None) -> Response | None:
    if rule.status:
        raise _error(rule, rule.status)
    if rule.cut:
        raise Cut(reset=rule.cut == "rst")
    if rule.truncate:
        raise Cut(answer=response if response and response.body else None)
    if rule.malformed:
        if response:
            response.close()
        return Response(200, b'{"name": <', {"Content-Type": "application/json; charset=UTF-8"})
    return None


def _error(rule: Rule, status: int) -> ApiError:
    reason, name = _WORDS.get(status, _WORDS[400 if status < 500 else 500])
    named = f"rule {rule.name}" if rule.name else "this request's header"
    return ApiError(status, f"A fault made on purpose, by {named} ({status}).", reason, name)


def _of_header(text: str) -> Rule:
    try:
        return rule(text, HEADER)
    except RulesError as error:
        raise invalid(str(error)) from None


@contextmanager
def _arrived(request: Request) -> Iterator[Request]:
    """The request with its whole body here: a client that goes away is noticed only then."""
    with SpooledTemporaryFile(_IN_MEMORY) as body:
        shutil.copyfileobj(request.body, body, _IN_MEMORY)
        body.seek(0)
        yield replace(request, body=body)
