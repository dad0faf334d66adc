"""Convert: examples from one form into another, where nothing of them is lost."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

from jobs.runner import rules
from jobs.runner.datasets import parquet
from jobs.runner.datasets.files import checked, new, rows
from jobs.runner.errors import Problem, Problems, VertuneError
from jobs.runner.example import BadExample, Example, parse, text_of
from jobs.runner.found import MOST
from jobs.runner.lines import LONGEST_LINE, Source, lines, opened

To = Literal["contents", "messages", "input_text", "prompt_completion"]
_Place = tuple[int, str]  # the line, or else which of what is counted
_PAIRS = (("input_text", "output_text"), ("prompt", "completion"), ("question", "answer"))

_TOO_LONG = f"is longer than {LONGEST_LINE >> 20} MiB"
_LARGEST = 256 * 1024 * 1024  # of a JSON list, which is held whole


def convert(path: Path, to: Path, form: To) -> int:
    """How many were written. Raises Problems with all that would be lost, and writes nothing."""
    lost: list[Problem] = []
    count = 0
    with new(to) as stream:
        for place, example in _examples(path):
            if what := _lost(example, form):
                lost.append(Problem(str(path), *place, f"{what} has no place in this form"))
            elif not lost:
                stream.write(_line(example, form))
                count += 1
        if lost:
            raise Problems(lost)
        if not count:
            raise VertuneError(f"{path} holds no example")
    return count


def _lost(example: Example, form: To) -> str | None:
    if form == "contents":
        return None
    if example.holds_files or example.holds_functions:
        return "a file or tool"
    if form != "messages" and len(example.contents) > 2:
        return f"a conversation of {len(example.contents)} turns"
    if form != "messages" and example.system:
        return "a system instruction"
    return None


def _line(example: Example, form: To) -> bytes:
    if form == "contents":
        return example.line()
    return json.dumps(_BODIES[form](example), ensure_ascii=False).encode() + b"\n"


def _messages(example: Example) -> dict[str, Any]:
    said = [{"role": "system", "content": example.system}] if example.system else []
    roles = {"user": "user", "model": "assistant"}
    said += [{"role": roles[one.role], "content": text_of(one)} for one in example.contents]
    return {"messages": said}


_BODIES: Mapping[To, Callable[[Example], dict[str, Any]]] = {
    "messages": _messages,
    "input_text": lambda one: {"input_text": one.prompt, "output_text": one.answer},
    "prompt_completion": lambda one: {"prompt": one.prompt, "completion": one.answer},
}


def _examples(path: Path) -> Iterator[tuple[_Place, Example]]:
    """From JSON Lines in any accepted form, pairs by other names, a JSON list, CSV or Parquet."""
    if path.suffix == ".csv":
        yield from _parsed(path, _of_csv(path))
    elif path.suffix == ".parquet":
        yield from _parsed(path, parquet.bodies(path, _opened), "row")
    elif path.suffix == ".json":
        yield from _parsed(path, enumerate(_of_json(path), 1), "item")
    elif _holds_pairs(path):
        yield from _parsed(path, _of_lines(path))
    else:
        checked(path)
        yield from (((row.number, ""), row.example) for row in rows(path))


def _parsed(
    path: Path, bodies: Iterator[tuple[int, Any]] | enumerate[Any], of: str = ""
) -> Iterator[tuple[_Place, Example]]:
    """`of` is what the numbers count, where it is not lines."""
    faults = []
    for number, body in bodies:
        place = (0, f"{of} {number:,}") if of else (number, "")
        try:
            yield place, parse(_plain(body), None)
        except BadExample as error:
            faults.append(Problem(str(path), *place, str(error)))
            if len(faults) == MOST:
                break
    if faults:
        raise Problems(faults)


def _plain(body: Any) -> bytes:
    if body is parquet.TOO_LONG:
        raise BadExample(rules.LONG_LINE, _TOO_LONG)
    if isinstance(body, dict) and None in body:  # where a reader of CSV puts them
        raise BadExample(rules.UNKNOWN_KEY, "has more columns than the first line names")
    try:
        line = json.dumps(_renamed(body)).encode()
    except TypeError as error:  # a column of bytes or days
        raise BadExample(rules.PART, f"holds what no text is: {error}") from None
    if len(line) >= LONGEST_LINE:
        raise BadExample(rules.LONG_LINE, _TOO_LONG)
    return line


def _renamed(body: Any) -> Any:
    """Pairs by other names, as the form of 2023."""
    if isinstance(body, dict):
        for asked, answer in _PAIRS:
            if set(body) == {asked, answer}:
                return {"input_text": body[asked], "output_text": body[answer]}
    return body


def _of_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(LONGEST_LINE)
    with io.TextIOWrapper(_opened(path), "utf-8-sig", newline="") as text:
        try:
            reader = csv.DictReader(text)
            _two_columns(path, reader.fieldnames or ())
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            problem = Problem(str(path), reader.line_num + 1, "", f"is not CSV: {error}")
            raise Problems([problem]) from None
        except UnicodeDecodeError:
            raise VertuneError(f"{path} is not UTF-8; save it as UTF-8") from None
        except OSError as error:
            raise VertuneError(f"{path} cannot be read: {error}") from None


def _two_columns(path: Path, names: Iterable[str]) -> None:
    if sorted(names) not in [sorted(pair) for pair in _PAIRS]:
        wanted = " or ".join(", ".join(pair) for pair in _PAIRS)
        raise VertuneError(f"{path}: the first line must name two columns: {wanted}")


def _of_json(path: Path) -> list[Any]:
    try:
        body = json.loads(_text(path), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise VertuneError(f"{path} {_no_json(error)}") from None
    if not isinstance(body, list):
        raise VertuneError(f"{path} must be a JSON list of examples")
    return body


def _holds_pairs(path: Path) -> bool:
    with _opened(path) as stream:
        return stream.readline(4096).lstrip().startswith((b'{"prompt"', b'{"completion"'))


def _of_lines(path: Path) -> Iterator[tuple[int, Any]]:
    source = Source(str(path), lambda: _opened(path))
    for number, line in lines(source):
        try:
            yield (
                number,
                json.loads(line if line is not None else b"too long", object_pairs_hook=_once),
            )
        except (ValueError, RecursionError) as error:
            raise Problems([Problem(str(path), number, "", _no_json(error))]) from None


class _Twice(ValueError):
    """A key that is given again: one of the two values would be lost without a word."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        again = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise _Twice(f"gives {json.dumps(again[:40])} twice")
    return values


def _no_json(error: ValueError | RecursionError) -> str:
    if isinstance(error, _Twice):
        return str(error)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"is not JSON: {error}"
    deep = isinstance(error, RecursionError)
    return "is nested too deeply" if deep else "holds a number that is too long"


def _text(path: Path) -> str:
    """Of a file that has to be held whole."""
    try:
        with _opened(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            data = stream.read() if size <= _LARGEST else b""
        if size > _LARGEST:
            raise VertuneError(f"{path} is larger than {_LARGEST >> 20} MiB; write it as lines")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise VertuneError(f"{path} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise VertuneError(f"{path} cannot be read: {error}") from None


def _opened(path: Path) -> BinaryIO:
    try:
        return opened(path)
    except OSError as error:
        raise VertuneError(f"{path} cannot be read: {error.strerror or error}") from None
