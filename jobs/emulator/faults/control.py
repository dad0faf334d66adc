"""Control: rules on the wire, to be read with their hits, replaced, cleared and waited for."""

from jobs.emulator.errors import invalid, not_found, rpc_error
from jobs.emulator.faults.faults import Faults
from jobs.emulator.faults.injection import CONTROL
from jobs.emulator.faults.reading import RulesError
from jobs.emulator.shapes import a_number
from jobs.emulator.wire import Answer, Request, Route

_LONGEST = 600


class Control:
    """Never hit by a rule itself."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> list[Route]:
        return [
            Route("GET", CONTROL, self._list),
            Route("PUT", CONTROL, self._put),
            Route("DELETE", CONTROL, self._clear),
            Route("GET", f"{CONTROL}/{{name}}", self._wait),
        ]

    def _list(self, request: Request) -> Answer:
        return {"faults": self._faults.listed()}

    def _put(self, request: Request) -> Answer:
        try:
            text = request.body.read().decode()
            self._faults.write(text, request.first("source") or "rules")
        except (UnicodeDecodeError, RulesError) as error:
            raise invalid(str(error)) from None
        return self._list(request)

    def _clear(self, request: Request) -> Answer:
        self._faults.clear()
        return self._list(request)

    def _wait(self, request: Request) -> Answer:
        """Answers once the rule has so many `hits`; 504 after so many `seconds`."""
        name = request.params["name"]
        hits = a_number(request.first("hits"), "hits", 1)
        seconds = min(a_number(request.first("seconds"), "seconds", 30), _LONGEST)
        try:
            self._faults.wait(name, hits, seconds)
        except KeyError:
            raise not_found(f"There is no fault rule {name}.") from None
        except TimeoutError as error:
            raise rpc_error("DEADLINE_EXCEEDED", str(error)) from None
        return {"name": name, "hits": hits}
