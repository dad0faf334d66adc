"""`vertune evaluate`."""

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.commands.predict import served
from jobs.runner.errors import VertuneError


@click.command("evaluate")
@click.argument("name")
@click.option("--rows", is_flag=True, help="Print each example with both answers, too.")
@output_option
@click.pass_obj
def command(place: Place, name: str, rows: bool, output: str) -> None:
    """Score the tuned model NAME and its base model on the test split; nothing is recorded.

    Example: vertune evaluate handbook --rows
    """
    from jobs.runner.evaluate import evaluate
    from jobs.runner.progress import Watch

    (resolved,) = place.resolve([name]) or (None,)
    if resolved is None:
        raise VertuneError(f"{name} is not meant for stack {place.name} (its `environments`)")
    split = resolved.dataset.splits.get("test")
    if split is None or resolved.errors:
        faults = "\n".join(map(str, resolved.errors))
        raise VertuneError(
            faults or f"{name}: there is no test split; add test.jsonl to its dataset"
        )
    entry = served(place, name)
    with Watch() as watch:
        score, said = evaluate(
            place.vertex,
            split,
            resolved.file.spec.instructions,
            base_model=str(entry.inputs["base_model"]),
            endpoint=entry.endpoint or "",
            metric=resolved.file.spec.metric,
            answered=lambda: watch.answered(name, 2 * split.examples),
        )
    cells = [(row.prompt, row.expected, row.base, row.tuned) for row in said]
    columns = ("prompt", "expected", "base", "tuned")
    if output == "json":
        body = {
            "name": name,
            "simulated": entry.stand_in is not None,
            **score.model_dump(),
        }
        if rows:
            body["rows"] = [dict(zip(columns, cell, strict=True)) for cell in cells]
        click.echo(report.dumps(body))
        return
    if rows:
        click.echo(report.table(columns, cells, markdown=output == "markdown"))
    click.echo(f"{name}: {report.score_text(score)}")
