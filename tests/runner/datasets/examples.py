"""Files of examples for tests of what is made from them."""

import json
from collections.abc import Sequence
from pathlib import Path

Pairs = Sequence[tuple[str, str]]


def written(path: Path, pairs: Pairs) -> Path:
    lines = [json.dumps({"input_text": prompt, "output_text": answer}) for prompt, answer in pairs]
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return path


def pairs_of(path: Path) -> list[tuple[str, str]]:
    bodies = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(body["input_text"], body["output_text"]) for body in bodies]
