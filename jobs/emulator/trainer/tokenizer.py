"""The small model's tokenizer: text and conversations to tokens, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from jobs.emulator.trainer.base import Conversation

CONTROL = 3  # the GGUF token type of tokens that never come from text
NAMES = {"user": "user", "model": "assistant"}


@dataclass(frozen=True)
class Target:
    """One model turn to learn: what stands before it, and its tokens with the end mark."""

    prompt: tuple[int, ...]
    response: tuple[int, ...]


class ChatTokenizer:
    def __init__(self, tokens: Sequence[str], merges: Sequence[str], control: Sequence[str]):
        self._tokenizer = _byte_pair(tokens, merges, control)
        vocabulary = self._tokenizer.get_vocab()
        self.start = vocabulary["<|im_start|>"]
        self.end = vocabulary["<|im_end|>"]
        self._newline = self.encode("\n")
        # What opens an answer; an adapter is active from here on.
        self.opening = (self.start, *self.encode("assistant\n"))

    @classmethod
    def from_gguf(cls, reader: GGUFReader) -> "ChatTokenizer":
        tokens = _contents(reader, "tokens")
        types = _contents(reader, "token_type")
        control = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL]
        return cls(tokens, _contents(reader, "merges"), control)

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens)))

    def prompt(self, conversation: Conversation) -> tuple[int, ...]:
        """Everything up to the opening of the answer that is wanted."""
        system = [("system", conversation.system)] if conversation.system else []
        turns = [(NAMES[turn.role], turn.text) for turn in conversation.turns]
        return tuple(token for name, text in [*system, *turns] for token in self._turn(name, text))

    def targets(self, example: Conversation) -> list[Target]:
        """Each model turn is learnt as the answer to all that stands before it."""
        return [
            Target(
                self.prompt(Conversation(example.system, example.turns[:place])),
                (*self.encode(turn.text), self.end),
            )
            for place, turn in enumerate(example.turns)
            if turn.role == "model"
        ]

    def _turn(self, name: str, text: str) -> tuple[int, ...]:
        return self.start, *self.encode(f"{name}\n{text}"), self.end, *self._newline


def _byte_pair(tokens: Sequence[str], merges: Sequence[str], control: Sequence[str]) -> Tokenizer:
    vocabulary = {token: number for number, token in enumerate(tokens)}
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    tokenizer = Tokenizer(models.BPE(vocabulary, pairs))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in control])
    # A control token that a user writes is only text.
    tokenizer.encode_special_tokens = True
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _contents(reader: GGUFReader, name: str) -> list[Any]:
    field = reader.get_field(f"tokenizer.ggml.{name}")
    if field is None:
        raise ValueError(f"the weights file has no tokenizer.ggml.{name}")
    return list(field.contents())
