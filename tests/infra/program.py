"""Program: the real infrastructure program under Pulumi's mocks, and what it asked for."""

import asyncio
import contextvars
import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import mocks, set_all_config, set_mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import Stack, run_pulumi_func

ROOT = Path(__file__).parents[2]
_STORES = "gcp:storage/getProjectServiceAccount:getProjectServiceAccount"
_POOLS = "projects/1/locations/global/workloadIdentityPools"


@dataclass(frozen=True)
class Made:
    """A resource as the program asked for it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protected: bool


@dataclass
class Deployment:
    resources: list[Made] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, type: str) -> list[Made]:
        return [one for one in self.resources if one.type == type]

    def one(self, type: str) -> Made:
        (found,) = self.of(type)
        return found


class NoMocks(pulumi.runtime.Mocks):
    """The recorder answers for resources, and for the one thing that is looked up."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError("the recorder answers")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError("the recorder answers")


class Recorder(mocks.MockMonitor):
    """Pulumi's own would leave an event loop open in every thread that calls it."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(NoMocks())
        self._made = deployment.resources

    def Invoke(self, request: Any) -> resource_pb2.ResourceInvokeResponse:
        if request.tok != _STORES:
            raise AssertionError(f"the program looks up {request.tok}")
        email = "service-1@gs-project-accounts.iam.gserviceaccount.com"
        found = {"emailAddress": email, "member": f"serviceAccount:{email}"}
        answer = resource_pb2.ResourceInvokeResponse()
        return json_format.ParseDict({"return": found}, answer)

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:
        inputs = json_format.MessageToDict(request.object)
        if request.type != "pulumi:pulumi:Stack":
            self._made.append(Made(request.type, request.name, inputs, request.protect))
        return resource_pb2.RegisterResourceResponse(
            urn=self.make_urn(request.parent, request.type, request.name),
            id=f"{request.name}-id" if request.custom else "",
            object=json_format.ParseDict(inputs | _computed(request.type, inputs), Struct()),
        )


def settings_of(stack: str) -> dict[str, str]:
    """What Pulumi.<stack>.yaml sets, in the form in which Pulumi hands it to a program."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))["config"]
    return {key: _plain(value) for key, value in config.items()}


def deploy(stack: str, config: Mapping[str, str]) -> Deployment:
    """Everything Pulumi keeps of a run is in context variables: each run gets its own."""
    return contextvars.copy_context().run(_deploy, stack, config)


def _deploy(stack: str, config: Mapping[str, str]) -> Deployment:
    deployment, loop = Deployment(), asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        set_mocks(NoMocks(), project="vertune", stack=stack, monitor=Recorder(deployment))
        set_all_config(dict(config))
        deployment.outputs = loop.run_until_complete(_run())
        # Pulumi registers what does not depend on each other in no order.
        deployment.resources.sort(key=lambda one: (one.type, one.name))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()
    return deployment


async def _run() -> dict[str, Any]:
    await run_pulumi_func(lambda: _program())
    root = get_root_resource()
    assert isinstance(root, Stack)
    return await pulumi.Output.from_input(root.outputs).future() or {}


def _program() -> None:
    runpy.run_path(str(ROOT / "infra"), run_name="__main__")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _computed(type: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if type == "gcp:serviceaccount/account:Account":
        email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
        name = f"projects/{inputs['project']}/serviceAccounts/{email}"
        return {"email": email, "member": f"serviceAccount:{email}", "name": name}
    elif type == "gcp:projects/serviceIdentity:ServiceIdentity":
        email = "service-1@gcp-sa-aiplatform.iam.gserviceaccount.com"
    elif type == "gcp:projects/iAMCustomRole:IAMCustomRole":
        return {"name": f"projects/{inputs['project']}/roles/{inputs['roleId']}"}
    elif type == "gcp:iam/workloadIdentityPool:WorkloadIdentityPool":
        return {"name": f"{_POOLS}/{inputs['workloadIdentityPoolId']}"}
    elif type == "gcp:storage/bucket:Bucket":
        return {"projectNumber": 1}
    elif type == "gcp:monitoring/notificationChannel:NotificationChannel":
        return {"name": f"projects/{inputs['project']}/notificationChannels/7"}
    else:
        return {}
    return {"email": email, "member": f"serviceAccount:{email}"}
