"""Split: every example on one side, each label in its share, and nothing moved by what is added."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.runner.datasets.parted import table, too_few
from jobs.runner.datasets.shares import WHOLE, Counts, Group, Shares, by_place, filled
from jobs.runner.datasets.split import split
from jobs.runner.errors import VertuneError
from jobs.runner.rows import SplitName
from tests.runner.datasets.examples import Pairs, pairs_of, written
from tests.runner.findings.test_near import changed, text

FIFTHS = Shares(0.2, 0.2)
NAMES: tuple[SplitName, ...] = ("train", "validation", "test")


def pairs(count: int, labels: str = "ab", start: int = 0) -> list[tuple[str, str]]:
    seeds = range(start, start + count)
    return [(" ".join(text(seed, 12)), labels[seed % len(labels)]) for seed in seeds]


def parted(folder: Path) -> dict[str, set[tuple[str, str]]]:
    return {path.stem: set(pairs_of(path)) for path in folder.glob("*.jsonl")}


def of_label(folder: Path, label: str) -> dict[str, int]:
    return {side: sum(a == label for _, a in some) for side, some in parted(folder).items()}


def test_every_example_is_on_one_side_in_about_the_shares_asked_for(tmp_path: Path) -> None:
    some = pairs(1000)
    found = split(written(tmp_path / "old.jsonl", some), tmp_path / "new", Shares(0.1, 0.2))
    sides = parted(tmp_path / "new")
    assert set.union(*sides.values()) == set(some)
    assert sum(map(len, sides.values())) == len(some) == found.sizes.total()
    assert 60 <= len(sides["validation"]) <= 140
    assert 150 <= len(sides["test"]) <= 250
    labels = Counter(answer for _, answer in sides["test"])
    assert abs(labels["a"] - labels["b"]) < 60


def test_exactly_every_label_has_its_share(tmp_path: Path) -> None:
    some = pairs(600, "aaaab")
    split(written(tmp_path / "old.jsonl", some), tmp_path / "new", Shares(0.1, 0.2), exact=True)
    assert of_label(tmp_path / "new", "a") == {"train": 336, "validation": 48, "test": 96}
    assert of_label(tmp_path / "new", "b") == {"train": 84, "validation": 12, "test": 24}


def test_examples_that_are_added_behind_move_no_other(tmp_path: Path) -> None:
    some = pairs(300)
    split(written(tmp_path / "one.jsonl", some[:200]), tmp_path / "one", Shares(0.1, 0.2))
    split(written(tmp_path / "two.jsonl", some), tmp_path / "two", Shares(0.1, 0.2))
    before, after = parted(tmp_path / "one"), parted(tmp_path / "two")
    assert all(before[name] <= after[name] for name in before)


def test_with_the_earlier_folder_none_is_moved_and_the_new_ones_bring_the_shares(
    tmp_path: Path,
) -> None:
    some = pairs(400)
    split(written(tmp_path / "one.jsonl", some[200:]), tmp_path / "one", Shares(0.3, 0.1))
    file = written(tmp_path / "two.jsonl", some)
    found = split(file, tmp_path / "two", Shares(0.2, 0.2), earlier=tmp_path / "one")
    before, after = parted(tmp_path / "one"), parted(tmp_path / "two")
    assert all(before[name] <= after[name] for name in before)
    assert (found.kept, found.gone, found.torn) == (200, 0, 0)
    assert of_label(tmp_path / "two", "a")["test"] == of_label(tmp_path / "two", "b")["test"] == 40


def test_what_is_no_more_is_counted_and_what_is_new_goes_where_it_is_like(tmp_path: Path) -> None:
    words = [text(seed) for seed in range(40)]
    old = [(" ".join(one), "ab"[n % 2]) for n, one in enumerate(words)]
    split(written(tmp_path / "one.jsonl", old), tmp_path / "one", FIFTHS, exact=True)
    new = [(" ".join(changed(one, n, 1)), "ab"[n % 2]) for n, one in enumerate(words)]
    file = written(tmp_path / "two.jsonl", [*new, *old[1:]])
    found = split(file, tmp_path / "two", FIFTHS, earlier=tmp_path / "one")
    assert (found.kept, found.gone) == (39, 1)
    side = {pair: name for name, some in parted(tmp_path / "two").items() for pair in some}
    assert all(side[new[n]] == side[old[n]] for n in range(1, 40))


def test_what_an_earlier_split_tore_stays_torn_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    words = text(1)
    near = [(" ".join(changed(words, seed, 1)), "a") for seed in range(2)]
    written(tmp_path / "one/train.jsonl", near[:1])
    written(tmp_path / "one/test.jsonl", near[1:])
    file = written(tmp_path / "two.jsonl", near)
    assert split(file, tmp_path / "two", Shares(0, 0), earlier=tmp_path / "one").torn == 1
    assert parted(tmp_path / "two") == {"train": {near[0]}, "test": {near[1]}}


def test_a_folder_without_a_split_is_nothing_to_keep(tmp_path: Path) -> None:
    file = written(tmp_path / "old.jsonl", [("a", "b")])
    with pytest.raises(VertuneError, match=r"holds no train\.jsonl"):
        split(file, tmp_path / "new", FIFTHS, earlier=tmp_path)


@pytest.mark.parametrize("exact", [False, True])
def test_what_is_nearly_the_same_stays_on_one_side(exact: bool, tmp_path: Path) -> None:
    texts = [text(seed) for seed in range(100)]
    again = [changed(one, seed, 1) for seed, one in enumerate(texts)]
    some = [(" ".join(words), f"answer {i}") for i, words in enumerate(texts + again)]
    split(written(tmp_path / "old.jsonl", some), tmp_path / "new", FIFTHS, exact=exact)
    side = {pair: name for name, some in parted(tmp_path / "new").items() for pair in some}
    assert all(side[some[i]] == side[some[i + 100]] for i in range(100))
    assert set(side.values()) == set(NAMES)
    if exact:
        assert Counter(side.values()) == {"train": 120, "validation": 40, "test": 40}


def test_the_same_input_is_on_one_side_whatever_it_is_nearly_the_same_as(tmp_path: Path) -> None:
    words = [text(seed) for seed in range(60)]
    like = [changed(one, seed, 1) for seed, one in enumerate(words)]
    inputs = [" ".join(one) for one in [*words, *like]]
    some = [(one, f"answer {n}") for n, one in enumerate([*inputs, *map(str.upper, inputs)])]
    split(written(tmp_path / "old.jsonl", some), tmp_path / "new", FIFTHS)
    side = {pair: name for name, some in parted(tmp_path / "new").items() for pair in some}
    assert all(len({side[some[n + 60 * k]] for k in range(4)}) == 1 for n in range(60))


def test_a_label_of_a_few_is_left_to_train_and_that_is_said(tmp_path: Path) -> None:
    some = [*pairs(40, "a"), *pairs(2, "b", 90), *pairs(1, "c", 99)]
    found = split(written(tmp_path / "old.jsonl", some), tmp_path / "new", FIFTHS, exact=True)
    assert of_label(tmp_path / "new", "c") == {"train": 1, "validation": 0, "test": 0}
    assert of_label(tmp_path / "new", "b")["train"] >= 1
    assert next(too_few(found, FIFTHS)) == "label 'c' (1): none in validation and test"
    assert table(found)[0][:3] == ("'a'", "40", "24 (60.0%)")
    assert table(found)[-1][:2] == ("all", "43")


def test_no_label_is_left_out_of_the_table(tmp_path: Path) -> None:
    some = pairs(100, "abcdefghijklmnopqrstuvwxy")
    found = split(written(tmp_path / "old.jsonl", some), tmp_path / "new", FIFTHS, exact=True)
    assert [row[:2] for row in table(found)[-2:]] == [("5 more", "20"), ("all", "100")]


@pytest.mark.parametrize("shares", [Shares(0, 0), FIFTHS])
def test_a_side_without_examples_makes_no_file(shares: Shares, tmp_path: Path) -> None:
    split(written(tmp_path / "old.jsonl", [("a", "b")]), tmp_path / "new", shares, exact=True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["train.jsonl"]


def test_an_empty_file_of_an_earlier_split_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/train.jsonl").touch()
    file = written(tmp_path / "old.jsonl", [("a", "b")])
    assert split(file, tmp_path / "two", FIFTHS, earlier=tmp_path / "one").kept == 0


# What holds of all of them

SHARES = st.builds(Shares, st.sampled_from([0, 0.1, 0.25, 0.5]), st.sampled_from([0, 0.1, 1 / 3]))
LABELS = st.sampled_from([b"a", b"b", b"c", b"d"])
GROUPS = st.lists(
    st.builds(Group, st.integers(0, WHOLE - 1), st.lists(LABELS, min_size=1, max_size=3)),
    max_size=40,
)
SINGLES = st.lists(
    st.builds(Group, st.integers(0, WHOLE - 1), st.tuples(LABELS)), min_size=1, max_size=80
)
NONE: Counts = {name: Counter() for name in NAMES}


def sums(groups: Sequence[Group], sides: Sequence[SplitName]) -> dict[SplitName, Counter[bytes]]:
    found: dict[SplitName, Counter[bytes]] = {name: Counter() for name in NAMES}
    for group, side in zip(groups, sides, strict=True):
        found[side].update(group.labels)
    return found


@given(SINGLES, SHARES)
def test_a_side_is_off_its_share_by_less_than_one_of_any_label(
    groups: list[Group], shares: Shares
) -> None:
    found = sums(groups, filled(groups, NONE, shares))
    for label, size in sum(found.values(), Counter[bytes]()).items():
        assert found["train"][label] >= 1
        for side in ("validation", "test"):
            off = found[side][label] - float(shares.of(side)) * size
            assert abs(off) < 1 or found["train"][label] == 1


@given(GROUPS, SHARES)
def test_no_held_out_side_has_more_than_its_share_and_none_takes_all(
    groups: list[Group], shares: Shares
) -> None:
    found = sums(groups, filled(groups, NONE, shares))
    for label, size in sum(found.values(), Counter[bytes]()).items():
        assert found["train"][label] >= 1
        for side in ("validation", "test"):
            assert found[side][label] < float(shares.of(side)) * size + 1


@given(st.lists(LABELS, min_size=1, max_size=60), SHARES, st.randoms(use_true_random=False))
def test_the_order_of_examples_decides_nothing(
    labels: list[bytes], shares: Shares, random: Random
) -> None:
    groups = [Group(n * 7919, (label,)) for n, label in enumerate(labels)]
    other = groups[::-1]
    random.shuffle(other)
    one = dict(zip([g.place for g in groups], filled(groups, NONE, shares), strict=True))
    two = dict(zip([g.place for g in other], filled(other, NONE, shares), strict=True))
    assert one == two


@given(SINGLES, SINGLES, SHARES)
def test_what_is_added_to_an_exact_split_ends_within_one_of_its_share(
    old: list[Group], new: list[Group], shares: Shares
) -> None:
    kept = sums(old, filled(old, NONE, shares))
    found = sums(new, filled(new, kept, shares))
    for label, size in sum([*kept.values(), *found.values()], Counter[bytes]()).items():
        for side in ("validation", "test"):
            now = kept[side][label] + found[side][label]
            share = float(shares.of(side)) * size
            assert now <= max(kept[side][label], share + 1)


@given(st.integers(0, WHOLE - 1))
def test_the_side_by_place_is_the_share_it_falls_into(place: int) -> None:
    part = place / WHOLE
    wanted = "test" if part < 0.2 else "validation" if part < 0.4 else "train"
    assert by_place(place, FIFTHS) == wanted


INPUTS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=20)


def some_of(numbers: Sequence[tuple[int, int]]) -> Pairs:
    """Texts of which some are the same, and some nearly."""
    texts = [changed(text(seed), seed + much, much) for seed, much in numbers]
    return [
        (" ".join(words), "ab"[seed % 2]) for words, (seed, _) in zip(texts, numbers, strict=True)
    ]


@settings(max_examples=15)
@given(INPUTS, INPUTS)
def test_nothing_is_moved_by_any_addition(
    old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    with TemporaryDirectory() as name:
        root, few = Path(name), some_of(old)
        file = written(root / "few.jsonl", few)
        split(file, root / "few", FIFTHS)
        split(file, root / "exact", FIFTHS, exact=True)
        behind = written(root / "behind.jsonl", [*few, *some_of(new)])
        ahead = written(root / "ahead.jsonl", [*some_of(new), *few])
        split(behind, root / "later", FIFTHS)
        split(ahead, root / "kept", FIFTHS, earlier=root / "exact")
        for before, after in (("few", "later"), ("exact", "kept")):
            then, now = parted(root / before), parted(root / after)
            assert all(some <= now[side] for side, some in then.items())
