"""Memory: what was made lately, so that it need not be made again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Bounded by the sizes of its keys; what was used longest ago is forgotten first."""

    def __init__(self, capacity: int, size: Callable[[K], int]) -> None:
        self._capacity, self._size = capacity, size
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._used = 0

    def recall(self, keys: Sequence[K], make: Callable[[list[K]], Iterable[V]]) -> list[V]:
        """The value of each key, in the order given; `make` is asked once for all that miss."""
        found = {key: self._kept[key] for key in keys if key in self._kept}
        if missing := [key for key in dict.fromkeys(keys) if key not in found]:
            found.update(zip(missing, make(missing), strict=True))
        for key in keys:
            self._keep(key, found[key])
        return [found[key] for key in keys]

    def _keep(self, key: K, value: V) -> None:
        if key not in self._kept:
            self._used += self._size(key)
        self._kept[key] = value
        self._kept.move_to_end(key)
        while self._used > self._capacity:
            oldest, _ = self._kept.popitem(last=False)
            self._used -= self._size(oldest)
