"""The tests of a change: those of its room, all of them for what every room goes by."""

import pytest

from tests.changed import _ROOMS, ROOT, chosen


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [
        ([], []),
        (["jobs/tickets.yaml", "datasets/tickets/train.jsonl"], ["tests/runner/test_schema.py"]),
        (["jobs/runner/plan.py"], ["tests/runner"]),
        (["tests/infra/test_grants.py"], ["tests/infra/test_grants.py"]),
        (["tests/conftest.py"], ["tests"]),
        (["jobs/runner/plan.py", "uv.lock"], ["tests"]),
    ],
)
def test_a_change_is_tried_by_the_chosen_its_room(paths: list[str], wanted: list[str]) -> None:
    found = chosen(paths)
    assert set(wanted) <= set(found)
    assert ("tests" in found) is ("tests" in wanted)


def test_every_folder_it_names_is_there() -> None:
    named = [one for _, rooms in _ROOMS for one in rooms]
    assert [one for one in named if not (ROOT / one).exists()] == []
