"""Answers: generateContent and countTokens, of tuned endpoints and of base models."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.emulator.errors import rpc_error
from jobs.emulator.state import State
from jobs.emulator.trainer.base import Conversation, TrainerError, Turn, WorkerDied
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.catalog import Catalog
from jobs.emulator.vertex.deployment import Deployment
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.files import Files, details, tokens
from jobs.emulator.vertex.names import Names, local_id
from jobs.emulator.vertex.prompts import Generation, read_generation, read_prompt
from jobs.emulator.vertex.registry import Registry
from jobs.emulator.vertex.times import timestamp
from jobs.emulator.wire import Answer, Handler, Request, Response, Route


@dataclass(frozen=True)
class Source:
    """Who answers: a base model, and the adapter tuning gave it."""

    base_model: str
    adapter: Path | None = None


class Generate:
    def __init__(
        self,
        state: State,
        catalog: Catalog,
        trainer: TrainerClient,
        registry: Registry,
        deployment: Deployment,
        names: Names,
        files: Files,
    ) -> None:
        self._state, self._catalog, self._trainer = state, catalog, trainer
        self._registry, self._deployment, self._names = registry, deployment, names
        self._files = files

    def routes(self, root: str) -> list[Route]:
        place = f"/{root}/projects/{{project}}/locations/{{location}}"
        routes = [Route("POST", f"{place}/models/{{id}}:generateContent", _refuse_model_name)]
        for source in ("endpoints", "publishers/google/models"):
            path = f"{place}/{source}/{{id}}"
            routes += [
                Route("POST", f"{path}:generateContent", _trained(self._generate)),
                Route("POST", f"{path}:streamGenerateContent", _trained(self._stream)),
                Route("POST", f"{path}:countTokens", _trained(self._count)),
            ]
        return routes

    def _generate(self, request: Request) -> Answer:
        body = Fields(request.json())
        source, prompt = self._source(request), read_prompt(body, self._files)
        (input_tokens,) = self._trainer.count_tokens([prompt])
        room = self._trainer.context_tokens - input_tokens
        if room < 1:
            raise rpc_error(
                "INVALID_ARGUMENT",
                f"The input token count ({input_tokens}) exceeds the maximum number of tokens"
                f" allowed ({self._trainer.context_tokens}) by the local stand-in.",
            )
        return self._answer(source, prompt, read_generation(body, room), input_tokens)

    def _stream(self, request: Request) -> Answer:
        """The whole answer as a stream's only piece."""
        answer = json.dumps(self._generate(request), ensure_ascii=False)
        if request.first("alt") == "sse" or request.first("$alt") == "sse":
            return Response(
                200, f"data: {answer}\r\n\r\n".encode(), {"Content-Type": "text/event-stream"}
            )
        return Response(200, f"[{answer}]".encode(), {"Content-Type": "application/json"})

    def _count(self, request: Request) -> Answer:
        self._source(request)
        prompt = read_prompt(Fields(request.json()), self._files, answerable=False)
        (text,) = self._trainer.count_tokens([prompt])
        characters = sum(len("".join(turn.text.split())) for turn in prompt.turns)
        return {
            "totalTokens": text + tokens(prompt.files),
            "totalBillableCharacters": characters,
            "promptTokensDetails": details(text, prompt.files),
        }

    def _answer(
        self, source: Source, prompt: Conversation, asked: Generation, input_tokens: int
    ) -> dict[str, Any]:
        (text,) = self._trainer.generate(
            [prompt], source.adapter, asked.max_tokens, asked.temperature, asked.seed
        )
        kept = _before(text, asked.stop_sequences)
        said, input_tokens = self._output_tokens(prompt, kept), input_tokens + tokens(prompt.files)
        cut = kept == text and said >= asked.max_tokens
        microsecond = self._state.microsecond()
        return {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": kept}]},
                    "finishReason": "MAX_TOKENS" if cut else "STOP",
                    "index": 0,
                }
            ],
            "usageMetadata": {
                "promptTokenCount": input_tokens,
                "candidatesTokenCount": said,
                "totalTokenCount": input_tokens + said,
            },
            "modelVersion": f"{self._trainer.name} ({_simulation(source, prompt)})",
            "createTime": timestamp(microsecond),
            "responseId": local_id(microsecond),
        }

    def _output_tokens(self, prompt: Conversation, text: str) -> int:
        """Without what a turn costs whatever it says."""
        said = Conversation(prompt.system, (*prompt.turns, Turn("model", text)))
        silent = Conversation(prompt.system, (*prompt.turns, Turn("model", "")))
        with_text, without = self._trainer.count_tokens([said, silent])
        return with_text - without

    def _source(self, request: Request) -> Source:
        if "/publishers/" in request.path:
            return self._base_source(request)
        version, checkpoint = self._deployment.serving(self._names.resource(request, "endpoints"))
        uri = self._registry.get(version)["baseModelSource"]["genieSource"]["baseModelUri"]
        adapter = self._registry.adapter(version, checkpoint, self._trainer.name)
        return Source(uri.rpartition("/")[2], adapter)

    def _base_source(self, request: Request) -> Source:
        place, id = self._names.place(request), request.params["id"]
        base = self._catalog.models.get(id)
        if base is None or place.location not in base.answers_in:
            raise rpc_error(
                "NOT_FOUND",
                f"Publisher Model `{place}/publishers/google/models/{id}` was not found or your"
                " project does not have access to it.",
            )
        return Source(id)


def _simulation(source: Source, prompt: Conversation) -> str:
    unread = ", which reads no files but their names" if prompt.files else ""
    return f"local simulation of {source.base_model}{unread}"


def _before(text: str, stop_sequences: Sequence[str]) -> str:
    return text[: min((text.index(stop) for stop in stop_sequences if stop in text), default=None)]


def _trained(handler: Handler) -> Handler:
    """A worker that died is replaced at the next call, so clients may retry; no other fault is."""

    def handle(request: Request) -> Answer:
        try:
            return handler(request)
        except WorkerDied as error:
            raise rpc_error("UNAVAILABLE", str(error)) from error
        except TrainerError as error:
            raise rpc_error("INTERNAL", str(error)) from error

    return handle


def _refuse_model_name(request: Request) -> Answer:
    raise rpc_error(
        "INVALID_ARGUMENT",
        "The resource name is malformed: a tuned model answers through its endpoint"
        " (projects/P/locations/L/endpoints/E), not through its model name.",
    )
