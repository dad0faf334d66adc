"""Engine: asks the provider over the protocol as Pulumi's engine does."""

from dataclasses import dataclass
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from jobs.emulator.provider.client import Values
from jobs.emulator.provider.values import from_struct, to_struct


@dataclass(frozen=True)
class Kept:
    """What the engine keeps of a resource."""

    type: str
    id: str
    inputs: Values
    state: Values


@dataclass(frozen=True)
class Engine:
    stub: ResourceProviderStub

    def configure(self, **config: str) -> None:
        args = to_struct({"project": "vertune-local", **config})
        answer = self.stub.Configure(provider_pb2.ConfigureRequest(args=args))
        assert answer.supportsPreview

    def check(self, type: str, inputs: Values) -> dict[str, str]:
        """Faults by property."""
        request = provider_pb2.CheckRequest(urn=urn(type), news=to_struct(inputs))
        return {one.property: one.reason for one in self.stub.Check(request).failures}

    def create(self, type: str, inputs: Values) -> Kept:
        request = provider_pb2.CreateRequest(urn=urn(type), properties=to_struct(inputs))
        made = self.stub.Create(request)
        return Kept(type, made.id, inputs, from_struct(made.properties))

    def plan(self, type: str, inputs: Values) -> Values:
        request = provider_pb2.CreateRequest(
            urn=urn(type), properties=to_struct(inputs), preview=True
        )
        return from_struct(self.stub.Create(request).properties)

    def diff(self, kept: Kept, inputs: Values) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(
            id=kept.id,
            urn=urn(kept.type),
            olds=to_struct(kept.state),
            old_inputs=to_struct(kept.inputs),
            news=to_struct(inputs),
        )
        answer: provider_pb2.DiffResponse = self.stub.Diff(request)
        return answer

    def update(self, kept: Kept, inputs: Values, preview: bool = False) -> Kept:
        request = provider_pb2.UpdateRequest(
            id=kept.id,
            urn=urn(kept.type),
            olds=to_struct(kept.state),
            old_inputs=to_struct(kept.inputs),
            news=to_struct(inputs),
            preview=preview,
        )
        state = from_struct(self.stub.Update(request).properties)
        return Kept(kept.type, kept.id, inputs, state)

    def refresh(self, kept: Kept) -> Kept | None:
        return self._read(kept.type, kept.id, kept.inputs, kept.state)

    def take_over(self, type: str, id: str) -> Kept | None:
        return self._read(type, id, {}, {})

    def delete(self, kept: Kept) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                id=kept.id, urn=urn(kept.type), properties=to_struct(kept.state)
            )
        )

    def look_up(self, token: str, args: Values) -> Values:
        answer: Any = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(args)))
        return from_struct(getattr(answer, "return"))

    def _read(self, type: str, id: str, inputs: Values, state: Values) -> Kept | None:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=id, urn=urn(type), inputs=to_struct(inputs), properties=to_struct(state)
            )
        )
        if not answer.id:
            return None
        return Kept(type, answer.id, from_struct(answer.inputs), from_struct(answer.properties))


def urn(type: str) -> str:
    return f"urn:pulumi:local::vertune::vertune:infra:Identities${type}::name"


def said(error: grpc.RpcError) -> str:
    """The text of a failed call, which the engine shows."""
    assert isinstance(error, grpc.Call)
    return str(error.details())
