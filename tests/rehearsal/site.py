"""Site: a bare remote, clones of it, an emulator and GitHub's part, all in one folder."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from google.auth import identity_pool
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from jobs.emulator import daemon
from jobs.emulator.emulator import Emulator
from jobs.emulator.environment import environment
from tests.conftest import SPEC, Repository
from tests.emulator import issuer
from tests.rehearsal.expressions import resolved
from tests.rehearsal.hub import REPOSITORY, TOKEN, Hub
from tests.rehearsal.job import Job
from tests.workflows.files import ROOT, workflow

PROJECTS = {"dev": ("vertune-local", "0"), "prod": ("vertune-local-prod", "1")}
PREFIXES = {"dev": "vertune", "prod": "vertune-prod"}  # as two stacks in one project must have
_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "a person"), ("EMAIL", "person@example.com"))
}
_OURS = {"repository_id": "12", "repository_owner_id": "34", "sub": f"repo:{REPOSITORY}:x"}
_SETTINGS = """\
config:
  gcp:project: {project}
  gcp:region: us-central1
  vertune:bucket: {project}
  vertune:emulator: "true"
  vertune:github: {{repositoryId: "12", ownerId: "34"}}
"""


class Site:
    """A context manager; `work` is the clone of the person who edits."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._exit = folder, ExitStack()
        self.remote, self.work = folder / "remote.git", folder / "work"
        self.artifacts, self._count = folder / "artifacts", itertools.count()
        self.home = folder / "emulator"
        self._trials: list[Path] = []  # clones with an emulator of their own

    def __enter__(self) -> Site:
        self.hub = self._exit.enter_context(Hub())
        self.emulator = self._exit.enter_context(Emulator(self.home, trainer="nearest"))
        issuer.introduce(self.home)
        (self.home / "pulumi").mkdir()
        self._lay_out()
        return self

    def __exit__(self, *_: Any) -> None:
        for clone in self._trials:
            daemon.stop(clone / ".vertune" / "emulator")
        self._exit.close()

    def _lay_out(self) -> None:
        """The repository as a team has it once it was set up."""
        self.work.mkdir()
        for name in ("infra", ".github"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.work / name, ignore=ignored)
        for name in ("Pulumi.yaml", "Pulumi.local.yaml", ".gitignore"):
            shutil.copy(ROOT / name, self.work)
        for stack, (project, _) in PROJECTS.items():
            text = _SETTINGS.format(project=project)
            text += f"  vertune:prefix: {PREFIXES[stack]}\n"
            text += "  vertune:promotesFrom: dev\n" if stack == "prod" else ""
            (self.work / f"Pulumi.{stack}.yaml").write_text(text, "utf-8")
        (self.work / "jobs").mkdir()
        (self.work / "jobs" / ".gitkeep").touch()
        self.join(self.work)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", str(self.remote))
        self.git("remote", "add", "origin", str(self.remote))
        self.commit("What the team starts with")
        self.git("push", "--quiet", "origin", "main")

    def join(self, clone: Path) -> None:
        """Let a clone find this emulator."""
        self.equip(clone)
        (clone / ".vertune" / "emulator").mkdir()
        server = {"url": self.emulator.url, "env": self.tools(clone), "pid": 0}
        (clone / ".vertune/emulator/server.json").write_text(json.dumps(server), "utf-8")

    def equip(self, clone: Path) -> None:
        """Let a clone find the engine that the machine has, as `make engine` would."""
        (clone / ".vertune").mkdir()
        if (ROOT / ".vertune/engine").is_dir():
            (clone / ".vertune/engine").symlink_to(ROOT / ".vertune/engine")

    def tools(self, clone: Path) -> dict[str, str]:
        found = environment(self.emulator.url, self.home, clone)
        found["PULUMI_HOME"] = str(self._folder / "pulumi-home")
        del found["PULUMI_STACK"]
        return found

    @property
    def machine(self) -> dict[str, str]:
        """The environment of a machine on which nobody has signed in to anything of ours."""
        ours = ("VERTUNE_", "PULUMI_", "GOOGLE_", "GITHUB_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        return {**kept, "PATH": path, "VERTUNE_PATIENCE": "0.3"}

    # What people do

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """As the owner of both projects, in their clone."""
        return subprocess.run(
            command,
            cwd=self.work,
            env={**self.machine, **self.tools(self.work), **_WHO},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def person(self, *command: str) -> str:
        """The same, of a command that must succeed."""
        ended = self.run(*command)
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended.stdout.strip()

    def git(self, *words: str) -> str:
        return self.person("git", *words)

    def commit(self, why: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", why)

    def job(self, name: str, answer: str, stacks: str) -> None:
        made = Repository(self.work)
        made.job(name, answer)
        made.spec(name, SPEC.format(name=name) + f"environments: {stacks}\n")

    @staticmethod
    def account(stack: str, who: str) -> str:
        """The address of a stack's planner, or tuner."""
        return f"{PREFIXES[stack]}-{who}@{PROJECTS[stack][0]}.iam.gserviceaccount.com"

    def relabel_bucket(self, stack: str) -> None:
        """Behind everybody's back."""
        address = f"{self.emulator.url}/storage/v1/b/{PROJECTS[stack][0]}"
        labels = {"labels": {"managed-by": "somebody"}}
        requests.patch(address, json=labels, timeout=10).raise_for_status()

    # What GitHub does

    def jobs(self, name: str, event: Mapping[str, Any], ref: str) -> list[Job]:
        """Every job of a workflow in the order they are needed, one for each of its matrix."""
        return [
            self._job(name, job, event, ref, entry)
            for job, body in workflow(name)["jobs"].items()
            for entry in body.get("strategy", {}).get("matrix", {}).get("include", [None])
        ]

    def _job(self, name: str, job: str, event: Mapping[str, Any], ref: str, entry: Any) -> Job:
        number = str(next(self._count))
        github = {"repository": REPOSITORY, "token": TOKEN, "ref_name": "main", "base_ref": "main"}
        github |= {"run_id": number, "run_attempt": "1"}
        context = {"github": {**github, **event}, "vars": self.variables}
        context["matrix"] = resolved(entry, context) or {}
        mine = event.get("event", {}).get("pull_request", {}).get("head", {}).get("repo", {})
        trial = bool(mine) and mine["full_name"] != REPOSITORY
        environment = {**self.machine, **self.hub.environment}
        del environment["GITHUB_TOKEN"]  # a step gets it where it asks
        return Job(
            name,
            job,
            context,
            environment if trial else {**environment, **self._unsigned()},
            self._folder / f"run-{number}",
            self.artifacts,
            lambda place: self.check_out(place, ref, joined=not trial),
            lambda provider, account: self.sign_in(provider, account, event["event_name"]),
        )

    def nobody(self, joined: bool) -> dict[str, str]:
        """A machine on which nobody has signed in, and whether it knows of the emulator."""
        found = {**self.machine, **(self._unsigned() if joined else {})}
        return {key: value for key, value in found.items() if key != "GOOGLE_OAUTH_ACCESS_TOKEN"}

    def _unsigned(self) -> dict[str, str]:
        """Where the services answer here, without anything to sign in with."""
        signed = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN")
        found = {key: value for key, value in self.tools(self.work).items() if key not in signed}
        return {**found, "GOOGLE_OAUTH_ACCESS_TOKEN": "nobody's", "PATH": found["PATH"]}

    @property
    def variables(self) -> dict[str, str]:
        found = {"PULUMI_BACKEND_URL": self.tools(self.work)["PULUMI_BACKEND_URL"]}
        for stack, (project, number) in PROJECTS.items():
            pool = f"projects/{number}/locations/global/workloadIdentityPools/vertune"
            found[f"PROJECT_{stack.upper()}"] = project
            prefix = PREFIXES[stack]
            found[f"PREFIX_{stack.upper()}"] = "" if prefix == "vertune" else prefix
            found[f"PROVIDER_{stack.upper()}"] = f"{pool}/providers/github"
        return found

    def check_out(self, place: Path, ref: str, joined: bool) -> None:
        self.git("clone", "--quiet", str(self.remote), str(place))
        self.git("-C", str(place), "fetch", "--quiet", "origin", ref)
        self.git("-C", str(place), "checkout", "--quiet", "FETCH_HEAD")
        (self.join if joined else self.equip)(place)
        self._trials += [] if joined else [place]

    def trial_summary(self) -> str:
        """What the jobs of a fork's pull request wrote for people to read."""
        found = (place.parent / "step_summary" for place in self._trials)
        return "\n".join(path.read_text("utf-8") for path in found if path.exists())

    def sign_in(self, provider: str, account: str, event: str) -> dict[str, str]:
        """As the login action does: GitHub's token for a workload's, that for the account's.

        Raises PermissionError where either exchange is refused.
        """
        number, url = next(self._count), self.emulator.url
        token, key = self._folder / f"token-{number}", self._folder / f"key-{number}.json"
        token.write_text(issuer.token(f"https://iam.googleapis.com/{provider}", claims(event)))
        body = issuer.key_file(provider, account, token, exchange=url, impersonate=url)
        key.write_text(json.dumps(body), "utf-8")
        scope = "https://www.googleapis.com/auth/cloud-platform"
        credentials = identity_pool.Credentials.from_info(body, scopes=[scope])
        try:
            credentials.refresh(Request())
        except GoogleAuthError as error:
            raise PermissionError(str(error)) from error
        return {
            "GOOGLE_APPLICATION_CREDENTIALS": str(key),
            "GOOGLE_OAUTH_ACCESS_TOKEN": str(credentials.token),
        }


def claims(event: str) -> dict[str, str]:
    if event == "pull_request":
        return {**_OURS, "event_name": event, "ref": "refs/pull/7/merge", "ref_protected": "false"}
    return {**_OURS, "event_name": event, "ref": "refs/heads/main", "ref_protected": "true"}
