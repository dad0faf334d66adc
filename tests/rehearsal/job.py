"""Job: the steps of a workflow file, run in order as GitHub's runner does, on this machine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.end_to_end.pulumi import ran
from tests.rehearsal.expressions import holds, resolved
from tests.workflows.files import workflow

# The clone that rehearses is set up, and its own tests are no part of the story.
_DONE = ("make environment", "make engine", "make test-changed")


@dataclass(frozen=True)
class Done:
    """One step that ran."""

    said: str
    code: int
    output: str


@dataclass
class Job:
    """One entry of a job's matrix; `sign_in` gives the environment that a login leaves behind."""

    workflow: str
    name: str
    context: dict[str, Any]
    environment: Mapping[str, str]
    workspace: Path
    artifacts: Path
    check_out: Callable[[Path], None]
    sign_in: Callable[[str, str], Mapping[str, str]]
    done: list[Done] = field(default_factory=list)
    failed: bool = False
    _outputs: dict[str, str] = field(default_factory=dict)  # of the last action

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = workflow(self.workflow)["jobs"][self.name]
        return found

    @property
    def passed(self) -> bool:
        """Whether it ran and nothing failed: what needs it runs then."""
        return bool(self.done) and not self.failed

    @property
    def title(self) -> str:
        stack = (self.context.get("matrix") or {}).get("stack")
        return f"{self.workflow}.yml, {self.name}{f' ({stack})' if stack else ''}"

    def run(self) -> Job:
        """Every step; a job whose `if` does not hold has none."""
        if not holds(self.body.get("if"), self.context):
            return self
        self.workspace.mkdir(parents=True)
        steps: dict[str, Any] = {}
        self.context["steps"] = steps
        for step in self.body["steps"]:
            code = self._step(step) if holds(step.get("if"), self.context, self.failed) else None
            self.failed = self.failed or bool(code)
            if "id" in step:
                outcome = "skipped" if code is None else "failure" if code else "success"
                steps[step["id"]] = {"outcome": outcome, "outputs": dict(self._outputs)}
        return self

    def _step(self, step: Mapping[str, Any]) -> int:
        if "uses" in step:
            said, code, output = self._used(step["uses"], resolved(step.get("with"), self.context))
        else:
            said, (code, output) = step["run"], self._ran(step)
        self.done.append(Done(said, code, output))
        return code

    # Steps that run

    def _ran(self, step: Mapping[str, Any]) -> tuple[int, str]:
        if step["run"].startswith(_DONE):
            return 0, ""
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        environment = self._environment(resolved(step.get("env", {}), self.context))
        ended = ran(bash, self.workspace / "code", environment)
        return ended.code, ended.text

    def _environment(self, own: Mapping[str, str]) -> dict[str, str]:
        github = self.context["github"]
        files = {
            f"GITHUB_{name.upper()}": str(self.workspace / name)
            for name in ("env", "path", "step_summary")
        }
        found = {**self.environment, **files, "GITHUB_REF_NAME": github["ref_name"]}
        found |= {"GITHUB_BASE_REF": github["base_ref"], "CI": "true"}
        found |= resolved(self.body.get("env", {}), self.context)
        found |= {**dict(_assignments(self.workspace / "env")), **own}
        first = [line for line in _lines(self.workspace / "path") if Path(line).is_dir()]
        found["PATH"] = os.pathsep.join([*reversed(first), found["PATH"]])
        return found

    # Actions, each by what it does here

    def _used(self, action: str, given: Mapping[str, Any]) -> tuple[str, int, str]:
        match action.partition("@")[0]:
            case "actions/checkout":
                self.check_out(self.workspace / "code")
                return "(checkout)", 0, ""
            case "google-github-actions/auth":
                account = given["service_account"]
                return (f"(sign in as {account.partition('@')[0]})", *self._signed_in(given))
            case "actions/upload-artifact":
                kept = self.artifacts / given["name"]
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.workspace / "code" / given["path"], kept)
                return f"(keep {given['path']} as {given['name']})", 0, ""
            case "actions/download-artifact":
                shutil.copytree(
                    self.artifacts / given["name"], self.workspace / "code", dirs_exist_ok=True
                )
                return f"(fetch {given['name']})", 0, ""
            case "actions/cache/save":
                kept = self.artifacts / "cache" / given["key"]
                kept.mkdir(parents=True)
                shutil.copy(self.workspace / "code" / given["path"], kept)
                return f"(cache {given['path']})", 0, ""
            case "actions/cache/restore":
                return f"(fetch {given['path']} from the cache)", 0, self._restored(given)
            case "github/codeql-action/upload-sarif":
                text = (self.workspace / "code" / given["sarif_file"]).read_text("utf-8")
                return f"(show {given['sarif_file']})", 0, json.loads(text)["version"]
        raise NotImplementedError(f"no step here does what {action} does")

    def _restored(self, given: Mapping[str, Any]) -> str:
        """The newest whose key begins as asked for."""
        found = (self.artifacts / "cache").glob(f"{given['restore-keys']}*")
        newest = max(found, key=lambda path: path.stat().st_mtime_ns, default=None)
        self._outputs = {"cache-matched-key": newest.name if newest else ""}
        if newest:
            shutil.copytree(newest, self.workspace / "code", dirs_exist_ok=True)
        return self._outputs["cache-matched-key"]

    def _signed_in(self, given: Mapping[str, Any]) -> tuple[int, str]:
        try:
            signed_in = self.sign_in(given["workload_identity_provider"], given["service_account"])
        except PermissionError as error:
            return 1, str(error)
        with (self.workspace / "env").open("a", encoding="utf-8") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in signed_in.items())
        return 0, ""


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _assignments(path: Path) -> Iterator[tuple[str, str]]:
    for line in _lines(path):
        name, _, value = line.partition("=")
        yield name, value
