"""`vertune dataset`: new files from old ones."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.runner.commands import Place
from jobs.runner.errors import plain
from jobs.runner.estimate import counted

if TYPE_CHECKING:
    from jobs.runner.datasets.diff import Diff
    from jobs.runner.datasets.parted import Parted
    from jobs.runner.datasets.shares import Shares

_OLD = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)


class _Share(click.FloatRange):
    """From nothing to a half; `nan` is in no range, and passes for one of any."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        share = super().convert(value, param, ctx)
        if math.isnan(share):
            self.fail(f"{value} is no share", param, ctx)
        return share


_SHARE = _Share(0, 0.5)
_MOST_SAID = 5  # labels that lack a side


@click.group("dataset")
def command() -> None:
    """Make new files of examples from old ones.

    No old file is touched, and no file that is there is written over.
    """


@command.command("stats")
@click.argument("given", metavar="FILE|FOLDER|NAME")
@click.option("--html", "to", type=_NEW, help="Write a page there instead; of one file.")
@click.pass_obj
def stats(place: Place, given: str, to: Path | None) -> None:
    """Draw how long examples are and how frequent their answers.

    Of a file, or of each split of a folder or of a spec's dataset.

    Example: vertune dataset stats headlines
    """
    from jobs.runner.datasets import named

    files = named.files(given, lambda: (place.root, place.name))
    if to is None:
        for number, file in enumerate(files):
            if len(files) > 1:
                click.echo(f"{chr(10) * bool(number)}{file}")
            _print_stats(file)
        return
    if len(files) > 1:
        names = " or ".join(map(str, files))
        raise click.UsageError(f"--html draws one file; name {names}")
    _write_page(files[0], to)


def _write_page(file: Path, to: Path) -> None:
    from jobs.runner.datasets import stats as figures
    from jobs.runner.datasets.files import new
    from jobs.runner.datasets.page import page

    found = figures.stats(file)
    with new(to) as stream:
        stream.write(page(str(file), found).encode())
    click.echo(f"a page of {counted(found.examples, 'example')} in {to}")


def _print_stats(file: Path) -> None:
    from jobs.runner.datasets import stats as figures

    found = figures.stats(file)
    click.echo(f"{counted(found.examples, 'example')}, {found.characters:,} characters")
    for name, lengths in (("a prompt", found.prompts), ("an answer", found.answers)):
        click.echo(f"\ncharacters of {name}\n" + "\n".join(figures.histogram(lengths)))
    if found.labels:
        click.echo("\nanswers\n" + "\n".join(map(plain, figures.frequent(found.labels))))


@command.command("dedupe")
@click.argument("file", type=_OLD)
@click.argument("new", type=_NEW)
@click.option(
    "--how",
    type=click.Choice(["exact", "alike", "near"]),
    default="alike",
    show_default=True,
    help="alike: but for case, spaces and punctuation; near: but for a few words.",
)
def dedupe(file: Path, new: Path, how: Any) -> None:
    """Write FILE to NEW without examples that repeat an earlier one.

    Example: vertune dataset dedupe raw.jsonl datasets/tickets/train.jsonl --how near
    """
    from jobs.runner.datasets.dedupe import dedupe

    kept, left_out = dedupe(file, new, how)
    click.echo(f"{counted(kept, 'example')} in {new}, {left_out:,} left out")


@command.command("split")
@click.argument("file", type=_OLD)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--validation", type=_SHARE, default=0.1, show_default=True, help="Its share.")
@click.option("--test", type=_SHARE, default=0.1, show_default=True, help="Its share.")
@click.option("--exact", is_flag=True, help="Each label has its share, to the example.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder split earlier: its examples stay where they are, new ones fill up the shares.",
)
def split(
    file: Path, folder: Path, validation: float, test: float, exact: bool, keep: Path | None
) -> None:
    """Write train, validation and test.jsonl into FOLDER, by what the examples of FILE say.

    Examples that are nearly the same stay together. Each side is chosen by the text alone, so
    examples that are added behind move no other, and each label has about its share of each file.
    With --exact it has just that, and what is added later moves none with --keep.

    Example: vertune dataset split raw.jsonl datasets/tickets --test 0.2
    """
    from jobs.runner.datasets.shares import Shares
    from jobs.runner.datasets.split import split

    if validation + test >= 1:
        raise click.UsageError("--validation and --test leave nothing to tune on")
    shares = Shares(validation, test)
    found = split(file, folder, shares, exact=exact, earlier=keep)
    _print_shares(found, shares, keep, even=exact or keep is not None)


def _print_shares(found: Parted, shares: Shares, keep: Path | None, *, even: bool) -> None:
    from jobs.runner import tables
    from jobs.runner.datasets.parted import table, too_few, uneven

    click.echo(tables.text(("label", "all", *found.counts), table(found)))
    if keep:
        said = f"\n{found.kept:,} where they are in {keep}, {found.gone:,} of it not in this file"
        click.echo(said)
    if found.torn:
        many = counted(found.torn, "group")
        click.echo(f"{many} of nearly the same examples {keep} has on several sides, as they stay")
    for said in (off := list(uneven(found, shares))):
        click.echo(said)
    lacking = list(too_few(found, shares))
    for said in lacking[:_MOST_SAID]:
        click.echo(plain(said))
    if len(lacking) > _MOST_SAID:
        click.echo(f"and {counted(len(lacking) - _MOST_SAID, 'label')} more")
    if (lacking or off) and not even:
        click.echo(
            "Of so few, chance makes no even shares. --exact gives every label its share, and each"
            " at least one in train"
        )


@command.command("convert")
@click.argument("file", type=_OLD)
@click.argument("new", type=_NEW)
@click.option(
    "--to",
    "form",
    type=click.Choice(["contents", "messages", "input_text", "prompt_completion"]),
    default="contents",
    show_default=True,
    help="contents is today's form.",
)
def convert(file: Path, new: Path, form: Any) -> None:
    """Write FILE (JSON Lines, a JSON list, CSV or Parquet) to NEW in another form.

    What would be lost in that form is an error, and nothing is written.

    Example: vertune dataset convert raw.csv datasets/tickets/train.jsonl
    """
    from jobs.runner.datasets.convert import convert

    click.echo(f"{counted(convert(file, new, form), 'example')} in {new}")


@command.command("redact")
@click.argument("file", type=_OLD)
@click.argument("new", type=_NEW)
def redact(file: Path, new: Path) -> None:
    """Write FILE to NEW with secrets and personal data replaced.

    Example: vertune dataset redact raw.jsonl datasets/tickets/train.jsonl
    """
    from jobs.runner.datasets.redact import redact

    _counts(redact(file, new), "nothing to replace")


@command.command("sample")
@click.argument("file", type=_OLD)
@click.argument("new", type=_NEW)
@click.option(
    "-n", "count", type=click.IntRange(1), default=100, show_default=True, help="How many."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another one, other examples.")
def sample(file: Path, new: Path, count: int, seed: int) -> None:
    """Write some examples of FILE to NEW; the same ones each time.

    Example: vertune dataset sample datasets/headlines/train.jsonl few.jsonl -n 20
    """
    from jobs.runner.datasets.sample import sample

    click.echo(f"{counted(sample(file, new, count, seed), 'example')} in {new}")


@command.command("diff")
@click.argument("old", metavar="OLD|NAME")
@click.argument("new", type=_OLD, required=False)
@click.pass_context
def diff(context: click.Context, old: str, new: Path | None) -> None:
    """Say which examples were added, removed or answered otherwise in NEW.

    With the NAME of a spec alone: in each of its splits, since what is served was tuned.

    Example: vertune dataset diff old.jsonl datasets/headlines/train.jsonl
    """
    from jobs.runner.datasets import diff as comparison

    if new is None:
        if Path(old).exists():
            raise click.UsageError(f"give what {old} is to be compared with, or the NAME of a spec")
        _print_since_served(context.obj, old)
        return
    path = _OLD.convert(old, None, context)
    _print_diff(comparison.diff(path, new), str(path), str(new))


def _print_since_served(place: Place, name: str) -> None:
    """What differs of each split from what is served."""
    from jobs.runner import history
    from jobs.runner.commands.predict import served
    from jobs.runner.dataset import SPLITS, NoDataset
    from jobs.runner.errors import Problems, VertuneError

    if not (resolved := place.resolve([name])):
        raise VertuneError(f"{name} is not meant for this stack")
    (one,) = resolved
    if one.errors:
        raise Problems([finding.problem for finding in one.errors])
    entry = served(place, name)
    try:
        found = history.since(entry, one, place.open_bucket)
    except NoDataset as error:
        raise VertuneError(f"{name}: {error}") from None
    was, now = history.uploaded(entry), one.dataset.splits
    for split in SPLITS:
        if split in found:
            new = now[split].source.shown if split in now else split
            _print_diff(found[split], was.get(split) or f"served {split} data", new, f"{split}: ")
        elif split in now:
            click.echo(f"{split}: not compared, as it is not recorded what it was")


def _print_diff(found: Diff, was: str, now: str, of: str = "") -> None:
    said = {"added": found.added, "removed": found.removed, "changed": found.changed}
    click.echo(of + ", ".join(f"{len(lines):,} {name}" for name, lines in said.items()))
    shift = sorted(found.labels.items(), key=lambda item: -abs(item[1][1] - item[1][0]))[:20]
    for label, counts in shift:
        click.echo(plain(f"answer {label[:60]!r}: {counts[0]:,} before, {counts[1]:,} now"))
    for name, numbers in (("added", found.added), ("removed", found.removed)):
        for number in numbers:
            click.echo(f"{name}: {was if name == 'removed' else now}:{number}")
    for before, after in found.changed:
        click.echo(f"changed: {now}:{after} (was {was}:{before})")


def _counts(count: Counter[str], otherwise: str) -> None:
    said = ", ".join(f"{number:,} × {name}" for name, number in count.most_common())
    click.echo(said or otherwise)
