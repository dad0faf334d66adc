"""Legible: one faulty spec keeps no other from being known."""

from datetime import date

from jobs.runner.commands import Place
from jobs.runner.legible import Legible, legible
from tests.conftest import SPEC, Repository

TODAY = date(2026, 11, 20)


def read(repository: Repository, *select: str) -> Legible:
    place = Place("local", repository.root)
    return legible(place.root, place.name, place.settings, place.open_bucket, TODAY, select)


def test_good_specs_are_desired(repository: Repository) -> None:
    repository.job("one")
    found = read(repository)
    assert (list(found.desired), found.why, found.wrong) == (["one"], {}, [])


def test_each_fault_is_told_and_the_first_of_a_name_is_its_reason(repository: Repository) -> None:
    repository.job("one")
    repository.spec("keys", "task: classification\nbase_modle: x\ndatset: y\n")
    repository.spec("data")
    found = read(repository)
    assert list(found.desired) == ["one"]
    assert set(found.why) == {"keys", "data"}
    assert found.why["keys"] == found.wrong[0]
    assert len(found.wrong) > len(found.why)
    assert all(what.startswith("jobs/") for what in found.wrong)


def test_of_two_files_of_one_name_neither_is_believed(repository: Repository) -> None:
    repository.job("one")
    text = (repository.root / "jobs/one.yaml").read_text("utf-8")
    (repository.root / "jobs/one.yml").write_text(text, "utf-8")
    found = read(repository)
    assert (list(found.desired), list(found.why)) == ([], ["one"])


def test_what_was_not_chosen_is_not_read(repository: Repository) -> None:
    repository.job("one")
    repository.spec("broken", "task: [\n")
    repository.spec("data")
    found = read(repository, "one")
    assert (list(found.desired), found.wrong) == (["one"], [])
    assert set(read(repository, "broken").why) == {"broken"}


def going_on(repository: Repository, name: str, parent: str) -> None:
    """A spec with the data of another one, which goes on from `parent`."""
    text = SPEC.format(name="data")
    repository.spec(name, text.replace("epochs: 2", f"epochs: 2\n  continue_from: {parent}"))


def test_what_goes_on_from_an_unreadable_spec_cannot_be_known(repository: Repository) -> None:
    repository.job("data")
    (repository.root / "jobs/data.yaml").unlink()
    repository.spec("broken", "task: [\n")
    repository.spec("bare")
    going_on(repository, "of-broken", "broken")
    going_on(repository, "of-bare", "bare")
    going_on(repository, "child", "of-broken")
    going_on(repository, "circle", "of-circle")
    going_on(repository, "of-circle", "circle")
    found = read(repository)
    assert found.desired == {}
    assert found.why["of-broken"] == "goes on from broken, which cannot be read"
    assert found.why["of-bare"] == "goes on from bare, which cannot be read"
    assert found.why["child"] == "goes on from of-broken, which cannot be read"
    assert "circle" in found.why["of-circle"]
    assert len(found.wrong) == len(set(found.wrong))


def test_what_a_chosen_spec_goes_on_from_is_read_with_it(repository: Repository) -> None:
    for name in ("data", "third"):
        repository.job(name)
    going_on(repository, "second", "data")
    found = read(repository, "second")
    assert set(found.desired) == {"data", "second"}
    assert found.desired["second"].continues == "data"
