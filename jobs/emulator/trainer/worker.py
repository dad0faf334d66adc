"""The worker process: one trainer, asked one thing at a time, questions before training steps."""

import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from jobs.emulator.trainer import catalog, messages
from jobs.emulator.trainer.base import Step, Trainer
from jobs.emulator.trainer.messages import Cancel, Count, Generate, Tune

AT_ONCE = 32  # prompts answered before the worker looks at its messages again
GATHER = 0.05  # seconds without a message after which no more questions are expected

log = logging.getLogger(__name__)


@dataclass
class Question:
    """Prompts that wait for answers, and the answers so far."""

    request: Generate
    answers: list[str] = field(default_factory=list)

    def same_run(self, other: "Question") -> bool:
        return _run(self.request) == _run(other.request)

    def waiting(self) -> int:
        return len(self.request.prompts) - len(self.answers)


class Worker:
    def __init__(self, trainer: Trainer, inbox: "queue.SimpleQueue[object]", out: BinaryIO) -> None:
        self._trainer = trainer
        self._inbox = inbox
        self._out = out
        self._questions: deque[Question] = deque()
        self._tunings: deque[Tune] = deque()
        self._steps: Iterator[Step] | None = None  # of the first tuning

    def run(self) -> None:
        while True:
            self._take_messages()
            if self._questions:
                self._answer()
            elif self._tunings:
                self._train()

    def _take_messages(self) -> None:
        """All there are; where somebody asks, also those that come right after."""
        patience = 0.0 if self._questions or self._tunings else None
        try:
            while True:
                self._take(self._inbox.get(timeout=patience))
                waiting = sum(question.waiting() for question in self._questions)
                # Answers together cost little more than one.
                patience = GATHER if 0 < waiting < AT_ONCE else 0.0
        except queue.Empty:
            return

    def _take(self, message: object) -> None:
        match message:
            case Tune():
                self._tunings.append(message)
            case Cancel():
                self._cancel(message.job_id)
            case Generate():
                self._questions.append(Question(message))
            case Count():
                self._count(message)

    def _count(self, request: Count) -> None:
        try:
            counts = self._trainer.count_tokens(request.conversations)
        except Exception as error:
            self._fail(request.call, error)
        else:
            self._say(messages.Done(request.call, counts))

    def _answer(self) -> None:
        """Questions about the same adapter are answered together, a limited number at once."""
        first = self._questions[0]
        together = [question for question in self._questions if question.same_run(first)]
        prompts = [p for q in together for p in q.request.prompts[len(q.answers) :]][:AT_ONCE]
        request = first.request
        try:
            answers = self._trainer.generate(
                prompts,
                request.adapter,
                max_tokens=request.max_tokens,
                temperature=request.temperature,
                seed=request.seed,
            )
        except Exception as error:
            self._drop(together, error)
        else:
            self._deal(together, deque(answers))

    def _deal(self, questions: list[Question], answers: deque[str]) -> None:
        for question in questions:
            for _ in range(min(question.waiting(), len(answers))):
                question.answers.append(answers.popleft())
            if not question.waiting():
                self._questions.remove(question)
                self._say(messages.Done(question.request.call, question.answers))

    def _drop(self, questions: list[Question], error: Exception) -> None:
        for question in questions:
            self._questions.remove(question)
            self._fail(question.request.call, error)

    def _train(self) -> None:
        tuning = self._tunings[0]
        if self._steps is None:
            self._steps = self._trainer.tune(
                tuning.examples, tuning.validation, tuning.settings, tuning.folder
            )
        try:
            step = next(self._steps, None)
        except Exception as error:
            self._end_tuning(tuning)
            self._fail(tuning.call, error)
            return
        if step is not None:
            self._say(messages.Progress(tuning.call, step))
        else:
            self._end_tuning(tuning)
            self._say(messages.Done(tuning.call))

    def _cancel(self, job_id: str) -> None:
        for tuning in [tuning for tuning in self._tunings if tuning.job_id == job_id]:
            self._end_tuning(tuning)
            self._say(messages.Failed(tuning.call, f"{job_id} was cancelled", cancelled=True))

    def _end_tuning(self, tuning: Tune) -> None:
        if tuning is self._tunings[0]:
            self._steps = None
        self._tunings.remove(tuning)

    def _fail(self, call: int, error: Exception) -> None:
        log.error("call %d failed", call, exc_info=error)
        self._say(messages.Failed(call, f"{type(error).__name__}: {error}"))

    def _say(self, reply: messages.Reply) -> None:
        messages.write(self._out, reply)


def _run(request: Generate) -> tuple[object, ...]:
    return request.adapter, request.max_tokens, request.temperature, request.seed


def listen(stream: BinaryIO, inbox: "queue.SimpleQueue[object]") -> None:
    """Ends the process, whatever it is busy with, as soon as the parent is gone."""
    try:
        while True:
            inbox.put(messages.read(stream))
    except (EOFError, ConnectionError):
        os._exit(0)


def main(trainer: str, descriptor: int) -> None:
    # Ctrl-C reaches the whole terminal group; the parent decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    connection = socket.socket(fileno=descriptor)
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    reader = connection.makefile("rb")
    threading.Thread(target=listen, args=(reader, inbox), daemon=True).start()
    try:
        Worker(catalog.load(trainer), inbox, connection.makefile("wb")).run()
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
