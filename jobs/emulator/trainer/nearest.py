"""A stand-in for a model: answers with the response of the most similar training example."""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobs.emulator.trainer.base import Conversation, Settings, Step
from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.checkpoints import checkpoint_epochs, new_checkpoint

BATCH = 8
EVALUATED = 200
FREQUENT = 200  # words in more prompts than this say nothing about similarity
ECHOED_WORDS = 8
FILE = "examples.json"


class Nearest:
    """Learns by heart, so its metrics are real: how many response words it gets right."""

    name = NEAREST.name
    description = NEAREST.description
    context_tokens = NEAREST.context_tokens

    def __init__(self) -> None:
        self._loaded: tuple[Path, float, Memory] | None = None

    def count_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        return [len(_words(_everything(conversation))) for conversation in conversations]

    def tune(
        self,
        examples: Sequence[Conversation],
        validation: Sequence[Conversation],
        settings: Settings,
        folder: Path,
    ) -> Iterator[Step]:
        shuffled = random.Random(settings.seed).sample(list(examples), len(examples))
        batches = [shuffled[start : start + BATCH] for start in range(0, len(shuffled), BATCH)]
        steps = len(batches) * settings.epochs
        kept = {epoch: str(n) for n, epoch in enumerate(checkpoint_epochs(settings.epochs), 1)}
        memory = Memory.load(settings.continue_from) if settings.continue_from else Memory()
        for epoch in range(1, settings.epochs + 1):
            for number, batch in enumerate(batches, 1):
                metrics = _score(memory, batch, "train")
                memory.learn(batch)
                step = (epoch - 1) * len(batches) + number
                if number < len(batches):
                    yield Step(step, steps, epoch, metrics)
            if validation:
                metrics |= _score(memory, validation[:EVALUATED], "eval")
            if epoch in kept:
                memory.save(folder, kept[epoch])
            yield Step(step, steps, epoch, metrics, kept.get(epoch))

    def generate(
        self,
        prompts: Sequence[Conversation],
        adapter: Path | None,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[str]:
        memory = self._memory(adapter) if adapter else Memory()
        return [_first_words(_answer(memory, prompt), max_tokens) for prompt in prompts]

    def _memory(self, adapter: Path) -> "Memory":
        written = (adapter / FILE).stat().st_mtime
        if self._loaded is None or self._loaded[:2] != (adapter, written):
            self._loaded = (adapter, written, Memory.load(adapter))
        return self._loaded[2]


class Memory:
    """Prompts and their responses, found again by the words they share."""

    def __init__(self) -> None:
        self._responses: dict[str, str] = {}
        self._prompts: list[str] = []
        self._holders: dict[str, list[int]] = defaultdict(list)

    def learn(self, examples: Sequence[Conversation]) -> None:
        for example in examples:
            self._add(_prompt_of(example), example.turns[-1].text)

    def recall(self, prompt: str) -> str | None:
        if prompt in self._responses:
            return self._responses[prompt]
        votes = self._votes(prompt)
        if not votes:
            return None
        nearest = max(votes, key=lambda number: (votes[number], -number))
        return self._responses[self._prompts[nearest]]

    def save(self, folder: Path, name: str) -> None:
        with new_checkpoint(folder, name) as partial:
            (partial / FILE).write_text(json.dumps(self._responses), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Memory":
        memory = cls()
        for prompt, response in json.loads((folder / FILE).read_text(encoding="utf-8")).items():
            memory._add(prompt, response)
        return memory

    def _add(self, prompt: str, response: str) -> None:
        if prompt not in self._responses:
            for word in set(_words(prompt)):
                self._holders[word].append(len(self._prompts))
            self._prompts.append(prompt)
        self._responses[prompt] = response

    def _votes(self, prompt: str) -> Counter[int]:
        votes: Counter[int] = Counter()
        for word in set(_words(prompt)):
            holders = self._holders.get(word, ())
            if len(holders) <= FREQUENT:
                # A word few prompts share says more than a word many of them share.
                votes.update({number: 1_000_000 // len(holders) for number in holders})
        return votes


def _answer(memory: Memory, prompt: Conversation) -> str:
    known = memory.recall(_everything(prompt))
    return _first_words(prompt.turns[-1].text, ECHOED_WORDS) if known is None else known


def _score(memory: Memory, examples: Sequence[Conversation], prefix: str) -> dict[str, float]:
    right = total = 0
    for example in examples:
        expected = _words(example.turns[-1].text)
        given = _words(memory.recall(_prompt_of(example)) or "")
        right += sum((Counter(expected) & Counter(given)).values())
        total += len(expected)
    share = right / total if total else 1.0
    return {
        f"{prefix}_total_loss": 1.0 - share,
        f"{prefix}_fraction_of_correct_next_step_preds": share,
        f"{prefix}_num_predictions": float(total),
    }


def _prompt_of(example: Conversation) -> str:
    return _everything(Conversation(example.system, example.turns[:-1]))


def _everything(conversation: Conversation) -> str:
    return "\n".join([conversation.system or "", *(turn.text for turn in conversation.turns)])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _first_words(text: str, count: int) -> str:
    words = text.split()
    return text if len(words) <= count else " ".join(words[:count])
