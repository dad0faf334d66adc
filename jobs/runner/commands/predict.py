"""`vertune predict`."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError

if TYPE_CHECKING:
    from jobs.runner.entry import Entry


@click.command("predict")
@click.argument("name")
@click.argument("texts", nargs=-1)
@click.option(
    "--file", type=click.File("r", encoding="utf-8"), help="Texts, one a line; - is stdin."
)
@click.option("--base", is_flag=True, help="Ask the base model instead, to compare.")
@click.option(
    "--raw", is_flag=True, help="Send the texts as they are, not as training wrapped them."
)
@output_option
@click.pass_obj
def command(
    place: Place,
    name: str,
    texts: tuple[str, ...],
    file: IO[str] | None,
    base: bool,
    raw: bool,
    output: str,
) -> None:
    """Ask the tuned model NAME; each text becomes a prompt of the form it was tuned on.

    Example: vertune predict headlines "Shares of the grocer rose on strong sales."
    """
    from jobs.runner.evaluate import answer_tokens
    from jobs.runner.prompt import Prompt
    from jobs.runner.vertex import location_of

    asked = _texts(texts, file)
    entry = served(place, name)
    if entry.endpoint is None:
        raise VertuneError(f"{name} has no endpoint recorded; see `vertune status`")
    model = str(entry.inputs["base_model"]) if base else entry.endpoint
    vertex = place.vertex.at(location_of(entry.endpoint))
    form = entry.prompt
    prompt = Prompt(form.get("system"), form.get("prefix") or "", form.get("suffix") or "")
    most = answer_tokens(int(form.get("longest_answer") or 0))
    rows = []
    for text in asked:
        sent = text if raw else prompt.wrap(text)
        answer = vertex.generate(model, sent, prompt.system, most)
        rows.append(
            {
                "text": text,
                "answer": answer.text,
                "model": model,
                "model_version": answer.model_version,
            }
        )
        if output == "text":
            click.echo(answer.text)
    if output != "text":
        _print(rows, output)
    if entry.stand_in:
        click.echo(f"({report.SIMULATED}: {entry.stand_in})", err=True)


def _texts(texts: tuple[str, ...], file: IO[str] | None) -> list[str]:
    if not texts and file is None:
        if sys.stdin.isatty():
            raise click.UsageError("Give a text, --file FILE, or texts on standard input.")
        file = sys.stdin
    found = [*texts, *(line.rstrip("\n") for line in file or ())]
    if not (asked := [text for text in found if text.strip()]):
        raise click.UsageError("There is no text to ask about.")
    return asked


def _print(rows: list[dict[str, str | None]], output: str) -> None:
    if output == "json":
        click.echo(report.dumps(rows))
        return
    cells = [(str(row["text"]), str(row["answer"])) for row in rows]
    click.echo(report.table(("text", "answer"), cells, markdown=True))


def served(place: Place, name: str) -> Entry:
    """The entry that is served under a name. Raises VertuneError if there is none."""
    from jobs.runner.document import did_you_mean

    recorded = place.ledger.recorded()
    record = recorded.get(name)
    if record is None or record.active is None:
        known = [n for n, r in recorded.items() if r.active]
        hint = did_you_mean(name, known)
        raise VertuneError(f"nothing is served as {name}{hint}; `vertune status` shows what is")
    read = place.ledger.read(name, record.active)
    if read is None:
        raise VertuneError(f"the ledger's entry of {name} is gone; run `vertune apply`")
    return read[0]
