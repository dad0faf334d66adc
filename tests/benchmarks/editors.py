"""What an editor makes of a spec, by the language server of VS Code's YAML extension.

Needs node and npm; the server is installed into a temporary folder. Run by hand:
python -m tests.benchmarks.editors [VERSION]
"""

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).parents[2]
SERVER = "yaml-language-server"
SPEC = "task: chat\nbase_model: gemini-3.1-flash-lite\ndataset: datasets/a\n"
# "|" is where the cursor is, and what has to be offered there.
OFFERED: Mapping[str, Sequence[str]] = {
    "|": ("task", "base_model", "dataset", "tuning", "evaluation", "overrides"),
    "task: |": ("classification", "summarization", "extractive_qa", "chat"),
    "task: chat\nbase_model: |": ("gemini-3.1-flash-lite", "gemini-3.5-flash"),
    f"{SPEC}tuning:\n  |": ("epochs", "steps", "adapter_size", "continue_from"),
    f"{SPEC}tuning:\n  epochs: |": ("3", "auto"),
    f"{SPEC}tuning:\n  adapter_size: |": ("1", "2", "4", "8", "16", "32"),
    f"{SPEC}evaluation:\n  metric: |": ("accuracy", "exact_match", "rouge_l"),
    f"{SPEC}check:\n  ignore:\n    - id: |": ("VT-D104",),
    f"{SPEC}overrides:\n  prod:\n    |": ("budget_usd", "tuning"),
}
# What is wrong on which line, counted from 0; nothing where the spec is right.
MARKED: Mapping[str, Sequence[int]] = {
    SPEC: (),
    f"{SPEC}tuning: {{epochs: auto, adapter_size: null}}\nbudget_usd: 2.5\n": (),
    "task: chatt\nbase_modle: x\ndataset: 3\n": (0, 0, 1, 2),
    f"{SPEC}tuning: {{epochs: 0, rate: 1}}\n": (3, 3),
    f"{SPEC}budget_usd: cheap\nlabels: {{Team: X}}\n": (3, 4),
    f"{SPEC}overrides: {{prod: {{task: chat}}}}\n": (3,),
    f"{SPEC}check: {{ignore: [{{id: VT-D001, reason: x}}]}}\n": (3,),
    f"{SPEC}dataset: twice\n": (3,),
}


class Editor:
    """Speaks to the server as VS Code does, with the settings of this repository."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self._to: Any = process.stdin
        self._from: Any = process.stdout
        self._calls = self._files = 0
        self._marks: dict[str, list[dict[str, Any]]] = {}
        shown = (ROOT / ".vscode/settings.json").read_text("utf-8")
        schemas = json.loads(shown)["yaml.schemas"]
        self._yaml = {"schemas": schemas, "validate": True, "completion": True}
        folder = {"uri": ROOT.as_uri(), "name": "vertune"}
        able = {"workspace": {"configuration": True}}
        where = {"rootUri": ROOT.as_uri(), "workspaceFolders": [folder]}
        self._call("initialize", processId=None, capabilities=able, **where)
        self._send("initialized", params={})

    def marks(self, text: str) -> list[dict[str, Any]]:
        return self._marks[self._opened(text)]

    def offers(self, text: str) -> dict[str, str]:
        """What is offered at the cursor, and what is said of it."""
        before, _, after = text.partition("|")
        uri = self._opened(before + after)
        place = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        found = self._call("textDocument/completion", textDocument={"uri": uri}, position=place)
        return {one["label"]: str(one.get("documentation") or "") for one in found["items"]}

    def _opened(self, text: str) -> str:
        self._files += 1
        uri = (ROOT / f"jobs/editor-{self._files}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send("textDocument/didOpen", params={"textDocument": document})
        while uri not in self._marks:
            self._heard()
        return uri

    def _call(self, method: str, **params: Any) -> Any:
        self._calls += 1
        self._send(method, id=self._calls, params=params)
        while (heard := self._heard()).get("id") != self._calls or "method" in heard:
            pass
        return heard["result"]

    def _send(self, method: str, **more: Any) -> None:
        self._write({"method": method, **more})

    def _write(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._to.flush()

    def _heard(self) -> dict[str, Any]:
        message = _message(self._from)
        if message.get("method") == "textDocument/publishDiagnostics":
            self._marks[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            asked = message["params"].get("items", ()) if "params" in message else ()
            result = [self._yaml if one.get("section") == "yaml" else {} for one in asked]
            self._write({"id": message["id"], "result": result})
        return message


def _message(stream: BinaryIO) -> dict[str, Any]:
    length = 0
    while line := stream.readline().strip():
        if found := re.fullmatch(rb"Content-Length: (\d+)", line):
            length = int(found[1])
    if not length:
        raise SystemExit(f"{SERVER} has ended")
    body: dict[str, Any] = json.loads(stream.read(length))
    return body


@contextmanager
def started(version: str) -> Iterator[Editor]:
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--prefix", folder, f"{SERVER}@{version}"]
        subprocess.run(install, check=True)
        program = f"{folder}/node_modules/.bin/{SERVER}"
        pipe = subprocess.PIPE
        with subprocess.Popen([program, "--stdio"], stdin=pipe, stdout=pipe, cwd=ROOT) as process:
            try:
                yield Editor(process)
            finally:
                process.kill()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("version", nargs="?", default="1.25.0")
    wrong = 0
    with started(words.parse_args().version) as editor:
        for text, wanted in OFFERED.items():
            offered = editor.offers(text)
            missing = [name for name in wanted if name not in offered]
            wrong += bool(missing)
            told = sum(map(bool, offered.values()))
            at = repr(text.removeprefix(SPEC))
            print(f"{at}: {len(offered)} offered, {told} explained, missing: {missing or 'none'}")
        for text, lines in MARKED.items():
            marks = editor.marks(text)
            found = sorted(one["range"]["start"]["line"] for one in marks)
            wrong += found != sorted(lines)
            right = "as it should be" if found == sorted(lines) else f"NOT {[*lines]}"
            print(f"{text.removeprefix(SPEC)!r}: marked on lines {found}, {right}")
            for one in marks:
                print(f"    {one['message'][:100]}")
    raise SystemExit(f"{wrong} are not as they should be" if wrong else 0)


if __name__ == "__main__":
    main()
