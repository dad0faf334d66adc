"""Small conversations for the tests."""

from jobs.emulator.trainer.base import Conversation, Settings, Turn

COLOURS = {
    "grass": "green",
    "snow": "white",
    "coal": "black",
    "blood": "red",
    "sky": "blue",
    "sunflower": "yellow",
}

ONE_EPOCH = Settings(epochs=1, learning_rate_multiplier=1.0, adapter_size=4)


def prompt(text: str, system: str | None = None) -> Conversation:
    return Conversation(system, (Turn("user", text),))


def example(text: str, answer: str, system: str | None = None) -> Conversation:
    return Conversation(system, (Turn("user", text), Turn("model", answer)))


def colour_prompts() -> list[Conversation]:
    return [prompt(f"Which colour has {thing}?") for thing in COLOURS]


def colour_examples() -> list[Conversation]:
    return [example(f"Which colour has {thing}?", colour) for thing, colour in COLOURS.items()]
