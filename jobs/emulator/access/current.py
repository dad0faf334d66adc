"""Current: what the caller of the call under way may do, for what only its handler can know."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from jobs.emulator.access.resources import Resource
from jobs.emulator.errors import ApiError

Refusal = Callable[[str, Resource], ApiError | None]

_refusal: ContextVar[Refusal | None] = ContextVar("refusal", default=None)


@contextmanager
def asking(refusal: Refusal) -> Iterator[None]:
    """Inside, `require` and `allows` speak of the caller that `refusal` knows."""
    before = _refusal.set(refusal)
    try:
        yield
    finally:
        _refusal.reset(before)


def require(permission: str, resource: Resource) -> None:
    """Raise what refuses the caller; where nobody guards, nobody is refused."""
    refusal = _refusal.get()
    if refusal and (error := refusal(permission, resource)):
        raise error


def allows(permission: str, resource: Resource) -> bool:
    refusal = _refusal.get()
    return refusal is None or refusal(permission, resource) is None
