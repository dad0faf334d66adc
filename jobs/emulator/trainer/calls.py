"""The calls in flight to one worker: their futures, and the thread that delivers their steps."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from jobs.emulator.trainer.base import Step, TrainerError, TuningCancelled
from jobs.emulator.trainer.messages import Done, Failed, Progress

OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Call:
    future: "Future[object]"
    on_step: OnStep | None


class Calls:
    """Every call ends: with its answer, its error, or the error that ended the worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, Call] = {}
        self._ended: Exception | None = None
        # Steps have a thread of their own, so that listeners may call the trainer themselves.
        self._deliveries: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._deliver, name="trainer-steps", daemon=True).start()

    @property
    def ended(self) -> bool:
        return self._ended is not None

    def add(self, number: int, on_step: OnStep | None) -> "Future[object]":
        future: Future[object] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._ended is None:
                self._open[number] = Call(future, on_step)
            else:
                future.set_exception(self._ended)
        return future

    def take(self, reply: object) -> None:
        match reply:
            case Progress(number, step):
                self._step(number, step)
            case Done(number, value):
                self._settle(number, lambda future: future.set_result(value))
            case Failed(number, reason, cancelled):
                error = TuningCancelled(reason) if cancelled else TrainerError(reason)
                self._settle(number, lambda future: future.set_exception(error))

    def end(self, error: Exception) -> None:
        with self._lock:
            self._ended = error
            numbers = list(self._open)
        for number in numbers:
            self._settle(number, lambda future: future.set_exception(error))
        self._deliveries.put(None)

    def _step(self, number: int, step: Step) -> None:
        with self._lock:
            call = self._open.get(number)
        if call and call.on_step:
            self._deliveries.put(lambda: self._notify(call, step))

    def _notify(self, call: Call, step: Step) -> None:
        if call.future.done() or call.on_step is None:
            return
        try:
            call.on_step(step)
        except Exception as error:
            # Whoever waits for the tuning learns that nobody recorded this step.
            call.future.set_exception(error)

    def _settle(self, number: int, settle: Callable[["Future[object]"], None]) -> None:
        with self._lock:
            call = self._open.pop(number, None)
        if call is None:
            return
        if call.on_step is None:
            settle(call.future)
        else:
            # After its last step, on the same thread.
            self._deliveries.put(lambda: None if call.future.done() else settle(call.future))

    def _deliver(self) -> None:
        while (delivery := self._deliveries.get()) is not None:
            delivery()
