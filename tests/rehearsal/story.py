"""Story: what a team does with pull requests, scene by scene, each step's exit code as stated."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.rehearsal.hub import REPOSITORY
from tests.rehearsal.job import Job
from tests.rehearsal.site import PROJECTS, Site

_MOST_ROUNDS = 5  # of the continuation, which is to end sooner


class NotAsStated(AssertionError):
    """A step ended otherwise than the story tells."""


# Steps by which a machine is set up: done in the clone that rehearses, or not worth a line.
_SET_UP = ("(checkout)", "make environment", "make engine", "printf ")


@dataclass
class Story:
    """Tells each command with its exit code; `commands` counts those that ran."""

    site: Site
    tell: Callable[[str], None] = print
    commands: int = 0
    skipped: int = 0
    began: float = field(default_factory=time.monotonic)

    def told(self) -> None:
        """All of it."""
        self.begun()
        self._it_goes_to_production()
        self._it_is_changed_and_reverted()
        self._an_old_run_is_repeated()
        self._drift_is_found_and_mended()
        self._a_fork_asks()
        seconds = time.monotonic() - self.began
        self.tell(
            f"\n{self.commands} steps, each with its exit code as stated, and"
            f" {self.skipped} jobs that had no reason to run, in {seconds:.0f} s."
        )

    def begun(self) -> None:
        """From the set-up to the first spec that is tuned and served."""
        self._set_up()
        self._a_spec_is_added()
        self._it_is_merged()

    # Scenes

    def _set_up(self) -> None:
        self.tell("1. The platform's engineer provisions both stacks")
        self._provision("prod")
        self.tell("Production promotes from dev: dev lets its accounts read the ledger")
        self._provision("dev", readers=("planner", "tuner"))
        self.site.commit("Settings of both stacks")
        self._push("main")

    def _provision(self, stack: str, readers: Collection[str] = ()) -> None:
        """With accounts of production as readers of its ledger."""
        self._person("pulumi", "stack", "init", stack)
        for place, who in enumerate(readers):
            key, email = f"vertune:ledgerReaders[{place}]", self.site.account("prod", who)
            self._person("pulumi", "config", "set", "--stack", stack, "--path", key, email)
        self._person("pulumi", "up", "--yes", "--skip-preview", "--stack", stack)

    def _a_spec_is_added(self) -> None:
        self.tell("\n2. A pull request adds a spec for dev")
        self.site.job("tickets", "sports", "[dev]")
        self._pull_request(1, "add-tickets", "Name the topic of tickets")
        self._comment(1, "dev", "| + submit | tickets | new |")
        self._comment(1, "prod", "It changes no model of this stack.")
        self.tell("It cannot be the one who tunes:")
        self._cannot_sign_in("tuner")

    def _it_is_merged(self) -> None:
        self.tell(
            "\n3. It is merged, approved, tuned in dev, and gone on with until it is recorded"
        )
        self._merge(1, "add-tickets", {"dev"})
        self._goes_on("dev", {"tickets"})

    def _it_goes_to_production(self) -> None:
        self.tell("\n4. A second pull request brings it to production: the same, tuned there")
        self.site.job("tickets", "sports", "[dev, prod]")
        self._pull_request(2, "promote-tickets", "Tickets for production", {"prod"})
        self._comment(2, "prod", "| + submit | tickets | new |")
        self._comment(2, "prod", "note: the same tuning in dev: accuracy 1.000")
        self._merge(2, "promote-tickets", {"prod"})
        self._goes_on("prod", {"tickets"})
        self._person("vertune", "compare", "dev", "prod")

    def _it_is_changed_and_reverted(self) -> None:
        self.tell("\n5. A change is merged and reverted: what it was before is served, for nothing")
        before = self._served("dev")["tickets"]
        self.site.job("tickets", "politics", "[dev, prod]")
        self._merge(3, "change-tickets", {"dev"}, "Other examples")
        self._goes_on("dev", {"tickets"})
        changed = self._served("dev")["tickets"]
        self.site.git("revert", "--no-edit", "--mainline", "1", "HEAD")
        self._push("main")
        self._workflow("apply", _pushed(), "main", {"dev"})
        if not before == self._served("dev")["tickets"] != changed:
            raise NotAsStated("the revert did not bring back what was served before")
        self.tell("dev serves the tuning of scene 3 again")

    def _an_old_run_is_repeated(self) -> None:
        self.tell(
            "\n6. The run of an older commit is repeated: it is refused, nothing is rolled back"
        )
        old, before = self.site.git("rev-parse", "HEAD~1"), self._served("prod")
        self._workflow("apply", _pushed(), old, {"prod"}, fails={"git merge-base": {1}})
        if before != self._served("prod"):
            raise NotAsStated("an old commit was applied")

    def _drift_is_found_and_mended(self) -> None:
        self.tell("\n7. Somebody relabels the bucket by hand: an issue says so until it is mended")
        self.site.relabel_bucket("dev")
        drifted = {"pulumi preview": {7, 255}}  # newer and older engines
        self._workflow("drift", _scheduled(), "main", {"dev"}, fails=drifted)
        self._issues([("Drift: stack dev", "open")])
        if '"somebody" => "vertune"' not in self.site.hub.issues[0]["body"]:
            raise NotAsStated(f"the issue tells another drift: {self.site.hub.issues[0]}")
        self._person("pulumi", "up", "--yes", "--skip-preview", "--refresh", "--stack", "dev")
        self._workflow("drift", _scheduled(), "main", {"dev"})
        self._issues([("Drift: stack dev", "closed")])

    def _a_fork_asks(self) -> None:
        self.tell(
            "\n8. A fork's pull request gets no credential: a check, a plan that asks nobody, and a"
            " trial here"
        )
        self.site.job("letters", "sports", "[local, dev]")
        self._pull_request(4, "letters", "Letters", repository="somebody/models")
        if [one for one in self.site.hub.comments if one["on"] == 4]:
            raise NotAsStated("a fork's pull request could write a comment")
        told = self.site.trial_summary()
        wanted = "vertune plan, stack dev", "| + submit | letters | new |", "nobody was asked"
        if not all(part in told for part in wanted):
            raise NotAsStated(f"the plan against the snapshot is another: {told}")

    # Their parts

    def _person(self, *command: str) -> None:
        ended = self.site.run(*command)
        self._ran(shlex.join(command), ended.returncode, {0}, ended.stdout + ended.stderr)

    def _pull_request(
        self,
        number: int,
        branch: str,
        why: str,
        stacks: Collection[str] = tuple(PROJECTS),
        repository: str = REPOSITORY,
    ) -> None:
        self._branch(branch, why)
        self.site.git("switch", "--quiet", "--detach", "origin/main")
        self.site.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        self._push(f"HEAD:refs/pull/{number}/merge")
        self.site.git("switch", "--quiet", "main")
        pull_request = {
            "number": number,
            "head": {"repo": {"full_name": repository}},
            "user": {"login": "a-person"},
        }
        event = {"event_name": "pull_request", "event": {"pull_request": pull_request}}
        self._workflow("pull-request", event, f"refs/pull/{number}/merge", stacks)

    def _branch(self, branch: str, why: str) -> None:
        self.site.git("switch", "--quiet", "--create", branch)
        self.site.commit(why)
        self._push(branch)

    def _merge(
        self,
        number: int,
        branch: str,
        stacks: Collection[str] = tuple(PROJECTS),
        why: str | None = None,
    ) -> None:
        if why:
            self._branch(branch, why)
            self.site.git("switch", "--quiet", "main")
        self.site.git("merge", "--quiet", "--no-ff", "--message", f"Merge #{number}", branch)
        self._push("main")
        self._workflow("apply", _pushed(), "main", stacks)

    def _push(self, what: str) -> None:
        ended = self.site.run("git", "push", "--quiet", "origin", what)
        self._ran(f"git push origin {what}", ended.returncode, {0}, ended.stderr)

    def _goes_on(self, stack: str, served: set[str]) -> None:
        """The schedule's runs, until the stack's outputs are what they are to be."""
        for _ in range(_MOST_ROUNDS):
            self._workflow("apply", _scheduled(), "main", {stack})
            if self._served(stack).keys() == served:
                self.tell(f"{stack} serves {', '.join(served) or 'nothing'}")
                return
        raise NotAsStated(f"{stack} serves {self._served(stack)}, not {served}")

    def _workflow(
        self,
        name: str,
        event: Mapping[str, Any],
        ref: str,
        stacks: Collection[str],
        fails: Mapping[str, Collection[int]] | None = None,
    ) -> None:
        """Its jobs for these stacks; `fails` has the exit codes that are not 0, by the command."""
        passed: dict[str, bool] = {}
        for wave in _waves(self.site.jobs(name, event, ref), stacks):
            ready = [job for job in wave if passed.get(job.body.get("needs", ""), True)]
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(Job.run, ready))
            for job in wave:
                self._job(job, fails or {})
                passed[job.name] = passed.get(job.name, True) and job.passed

    def _job(self, job: Job, fails: Mapping[str, Collection[int]]) -> None:
        if not job.done:
            self.skipped += 1
            return
        self.tell(job.title)
        for step in job.done:
            expected = next(
                (codes for way, codes in fails.items() if step.said.startswith(way)), (0,)
            )
            self._ran(step.said, step.code, expected, step.output)

    def _ran(self, said: str, code: int, expected: Collection[int], output: str) -> None:
        self.commands += 1
        if not said.startswith(_SET_UP):
            self.tell(f"  {code}  {said}")
        if code not in expected:
            raise NotAsStated(f"{said} ended with {code}, not {[*expected]}:\n{output}")

    def _cannot_sign_in(self, who: str) -> None:
        for stack in PROJECTS:
            provider = self.site.variables[f"PROVIDER_{stack.upper()}"]
            email = self.site.account(stack, who)
            try:
                self.site.sign_in(provider, email, "pull_request")
            except PermissionError as error:
                code, output = 1, str(error)
            else:
                code, output = 0, ""
            self._ran(f"(sign in as {email.partition('@')[0]} of {stack})", code, {1}, output)
            if "iam.serviceAccounts.getAccessToken" not in output:
                raise NotAsStated(f"refused for another reason: {output}")

    # What came of it

    def _comment(self, number: int, stack: str, part: str) -> None:
        found = [
            one["body"]
            for one in self.site.hub.comments
            if one["on"] == number and f"plan {stack} " in one["body"].split("\n")[0]
        ]
        if len(found) != 1 or part not in found[0]:
            raise NotAsStated(f"the plan of {stack} is not one comment with {part!r}: {found}")
        self.tell(f"the comment of {stack}: {part}")

    def _issues(self, expected: list[tuple[str, str]]) -> None:
        found = [(one["title"], one["state"]) for one in self.site.hub.issues]
        if found != expected:
            raise NotAsStated(f"the issues are {found}, not {expected}")
        self.tell(f"the issues: {', '.join(f'{title} ({state})' for title, state in found)}")

    def _served(self, stack: str) -> dict[str, str]:
        """By name, the fingerprint that the stack's outputs have."""
        ended = self.site.run("pulumi", "stack", "output", "--json", "--stack", stack)
        models = json.loads(ended.stdout)["tuned_models"]
        return {name: str(one["fingerprint"]) for name, one in models.items()}


def _pushed() -> dict[str, Any]:
    return {"event_name": "push", "event": {}}


def _scheduled() -> dict[str, Any]:
    return {"event_name": "schedule", "event": {}}


def _waves(jobs: list[Job], stacks: Collection[str]) -> list[list[Job]]:
    """What may run side by side, in order: each job's entries, unless one waits for the other."""
    waves: list[list[Job]] = []
    for job in jobs:
        stack = job.context["matrix"].get("stack")
        if stack is not None and stack not in stacks:
            continue
        alone = job.body.get("needs") or job.body.get("strategy", {}).get("max-parallel") == 1
        if waves and not alone and not waves[-1][0].body.get("needs"):
            waves[-1].append(job)
        else:
            waves.append([job])
    return waves
