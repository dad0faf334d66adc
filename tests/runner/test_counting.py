"""Counting: the service counts what is tuned on, once, and a plan says so."""

import json

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import counting
from jobs.runner.commands import Place
from tests.conftest import SPEC, Repository
from tests.runner.commands.calls import vertune

COUNTED = "counted by the emulator"


def planned(repository: Repository, *words: str) -> dict[str, object]:
    result = vertune(repository, "plan", *words, "-o", "json")
    assert result.exit_code == 0, result.output
    (change,) = json.loads(result.stdout)["changes"]
    found: dict[str, object] = change
    return found


def tokens(repository: Repository, texts: list[str]) -> int:
    vertex = Place("local", repository.root).vertex.at("us")
    said = [{"role": "user", "parts": [{"text": text}]} for text in texts]
    return vertex.count_tokens("gemini-3.1-flash-lite", said)


def test_an_exact_plan_is_what_the_service_counts_times_the_epochs(
    provisioned: Repository,
) -> None:
    provisioned.data("a", "train", ("a match", "sports"), ("bank merger", "business"))
    provisioned.spec("a", SPEC.format(name="a") + "instructions: Name the topic.\n")
    before, exact = planned(provisioned), planned(provisioned, "--exact")
    prompts = [f"What is the topic? Text: {t}\nThe answer is:" for t in ("a match", "bank merger")]
    said = [*prompts, "sports", "business", *["Name the topic."] * 2]
    assert exact["billable_tokens"] == 2 * tokens(provisioned, said)
    assert isinstance(exact["tokens"], dict)
    assert exact["tokens"]["basis"] == COUNTED
    assert exact["tokens"]["low"] is None
    assert isinstance(before["tokens"], dict)
    assert before["tokens"]["basis"] == "estimated"
    assert "tokens (counted by the emulator)" in vertune(provisioned, "plan").stdout


def test_what_was_counted_is_not_asked_again_and_holds_for_the_same_bytes_alone(
    provisioned: Repository, emulator: Emulator
) -> None:
    provisioned.job("a")
    exact = planned(provisioned, "--exact")
    emulator.faults.set(Rule(name="counts", path="*:countTokens", status=400))
    assert planned(provisioned, "--exact") == planned(provisioned) == exact
    assert [rule["hits"] for rule in emulator.faults.listed()] == [0]
    provisioned.job("a", answer="football")
    fresh = planned(provisioned)
    assert isinstance(fresh["tokens"], dict)
    assert fresh["tokens"]["basis"] == "estimated"
    refused = vertune(provisioned, "plan", "--exact")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("counting tokens for gemini-3.1-flash-lite")


def test_a_count_that_was_broken_off_goes_on_where_it_stopped(
    provisioned: Repository, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_TURNS", 2)
    provisioned.spec("a")
    provisioned.data("a", "train", *((f"match {number}", "sports") for number in range(12)))
    # The first calls go out together; of the later ones the last is refused.
    emulator.faults.set(Rule(name="counts", path="*:countTokens", nth=12, times=1, status=400))
    assert vertune(provisioned, "plan", "--exact").exit_code == 1
    emulator.faults.set(Rule(name="counts", path="*:countTokens", nth=2, status=400))
    exact = planned(provisioned, "--exact")
    assert [rule["hits"] for rule in emulator.faults.listed()] == [0]
    emulator.faults.clear()
    said = [f"What is the topic? Text: match {number}\nThe answer is:" for number in range(12)]
    assert exact["billable_tokens"] == 2 * tokens(provisioned, [*said, *["sports"] * 12])


def test_a_plan_that_was_reviewed_is_the_same_plan_whoever_counted(
    provisioned: Repository,
) -> None:
    provisioned.job("a")
    before = json.loads(vertune(provisioned, "plan", "-o", "json").stdout)["checksum"]
    after = json.loads(vertune(provisioned, "plan", "--exact", "-o", "json").stdout)["checksum"]
    assert before == after


def test_a_budget_is_held_against_what_was_counted(provisioned: Repository) -> None:
    provisioned.job("a")
    budget = "budget_usd: 0.0001\n"
    provisioned.spec("a", SPEC.format(name="a") + budget)
    exact = planned(provisioned, "--exact")
    assert isinstance(exact["price_usd"], float)
    assert (exact["action"] == "blocked") == (exact["price_usd"] > 0.0001)
    provisioned.spec("a", SPEC.format(name="a") + f"budget_usd: {exact['price_usd']:.15f}\n")
    assert planned(provisioned)["action"] == "submit"


def test_examples_and_instructions_of_their_own_go_into_few_calls(
    provisioned: Repository, emulator: Emulator
) -> None:
    systems = [f"Answer as number {number // 2}." for number in range(60)]
    lines = [
        {"role": role, "content": text}
        for system in systems
        for role, text in (("system", system), ("user", "yes?"), ("assistant", "no"))
    ]
    rows = [json.dumps({"messages": lines[at : at + 3]}) for at in range(0, len(lines), 3)]
    provisioned.data("a", "train").write_text("\n".join(rows) + "\n", "utf-8")
    provisioned.spec("a")
    emulator.faults.set(Rule(name="counts", path="*:countTokens", nth=3, status=400))
    exact = planned(provisioned, "--exact")
    emulator.faults.clear()
    said = [*systems, *["yes?", "no"] * 60]
    assert exact["billable_tokens"] == 2 * tokens(provisioned, said)


def test_functions_are_estimated_and_counted(provisioned: Repository) -> None:
    """Those declared, those called, and what they gave."""
    call = {"functionCall": {"name": "stock", "args": {"shop": "north side"}}}
    gave = {"functionResponse": {"name": "stock", "response": {"left": 3}}}
    asked = {"text": "Is it there?"}
    tools = [{"functionDeclarations": [{"name": "stock", "description": "How many are left."}]}]
    turns = [("user", asked), ("model", call), ("user", gave), ("model", {"text": "Yes."})]
    contents = [{"role": role, "parts": [part]} for role, part in turns]
    body = {"contents": contents, "tools": tools}
    provisioned.data("a", "train").write_text(f"{json.dumps(body)}\n" * 3, "utf-8")
    provisioned.spec("a")
    before, exact = planned(provisioned), planned(provisioned, "--exact")
    vertex = Place("local", provisioned.root).vertex.at("us")
    base, turn = "gemini-3.1-flash-lite", [{"role": "user", "parts": [{"text": "."}]}]
    said = vertex.count_tokens(base, contents * 3)
    declared = vertex.count_tokens(base, turn, tools) - vertex.count_tokens(base, turn)
    assert declared > 5
    assert exact["billable_tokens"] == 2 * (said + 3 * declared)
    without = [json.dumps({"contents": contents})] * 3
    provisioned.data("a", "train").write_text("\n".join(without) + "\n", "utf-8")
    cheaper = planned(provisioned)["billable_tokens"]
    assert isinstance(cheaper, int)
    assert isinstance(before["billable_tokens"], int)
    assert before["billable_tokens"] > cheaper + 2 * 3 * 10
