"""Servicer: Pulumi's provider protocol, answered from the catalog of resources."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from jobs.emulator.provider.catalog import RESOURCES
from jobs.emulator.provider.client import Client, Refused, Values
from jobs.emulator.provider.functions import FUNCTIONS
from jobs.emulator.provider.resource import Resource
from jobs.emulator.provider.values import from_struct, to_struct

_ATTRIBUTION = {"goog-pulumi-provisioned": "true"}  # as the genuine provider labels what it makes
_IMPERSONATE = "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_PROJECTS = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Entry = TypeVar("Entry")


class NotServed(Exception):
    """A type or function outside the catalog; its text names what is in it."""


def _answered(
    method: Callable[["Servicer", Asked], Answer],
) -> Callable[["Servicer", Asked, grpc.ServicerContext], Answer]:
    """Turn a refusal into the protocol's error, whose text the engine shows."""

    @wraps(method)
    def answer(self: "Servicer", request: Asked, context: grpc.ServicerContext) -> Answer:
        try:
            return method(self, request)
        except (Refused, NotServed) as refused:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(refused))
            raise AssertionError("abort raises") from refused

    return answer


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """What it does not answer (schemas, components, handshake) the engine does without."""

    def __init__(self, url: str) -> None:
        self._client = Client(url, project="")

    @_answered
    def GetPluginInfo(self, request: empty_pb2.Empty) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi-gcp"))

    @_answered
    def CheckConfig(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answered
    def DiffConfig(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @_answered
    def Configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        self._client = configured(self._client, from_struct(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_answered
    def Invoke(self, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
        function = _served(FUNCTIONS, request.tok)
        found = function(self._client, from_struct(request.args))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(found))  # a keyword of Python
        return response

    @_answered
    def Check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        inputs = _given(from_struct(request.news))
        faults = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in _resource(request.urn).check(inputs)
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=faults)

    @_answered
    def Diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        old, state = from_struct(request.old_inputs), from_struct(request.olds)
        found = _resource(request.urn).diff(old, state, from_struct(request.news))
        changes = provider_pb2.DiffResponse
        return provider_pb2.DiffResponse(
            changes=changes.DIFF_SOME if found.changed else changes.DIFF_NONE,
            diffs=found.changed,
            replaces=found.replacing,
            deleteBeforeReplace=found.delete_first,
        )

    @_answered
    def Create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        resource, inputs = _resource(request.urn), from_struct(request.properties)
        if request.preview:
            state = resource.plan(self._client, inputs)
            return provider_pb2.CreateResponse(properties=to_struct(state))
        id = resource.create(self._client, inputs)
        state = self._observed(resource, id, inputs)
        return provider_pb2.CreateResponse(id=id, properties=to_struct(state))

    @_answered
    def Read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        resource, known = _resource(request.urn), from_struct(request.properties)
        found = resource.observe(self._client, request.id, known)
        if found is None:
            return provider_pb2.ReadResponse()
        id, observed = found
        return provider_pb2.ReadResponse(
            id=id,
            properties=to_struct(known | observed),
            inputs=to_struct(resource.managed(from_struct(request.inputs), observed)),
        )

    @_answered
    def Update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        resource, inputs = _resource(request.urn), from_struct(request.news)
        if request.preview:
            state = resource.plan_update(self._client, from_struct(request.olds), inputs)
        else:
            resource.update(self._client, request.id, from_struct(request.old_inputs), inputs)
            state = self._observed(resource, request.id, inputs)
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    @_answered
    def Delete(self, request: provider_pb2.DeleteRequest) -> empty_pb2.Empty:
        state = from_struct(request.properties)
        _resource(request.urn).delete(self._client, request.id, state)
        return empty_pb2.Empty()

    @_answered
    def Cancel(self, request: empty_pb2.Empty) -> empty_pb2.Empty:
        return empty_pb2.Empty()  # no call takes long enough to be worth stopping

    def _observed(self, resource: Resource, id: str, inputs: Values) -> Values:
        found = resource.observe(self._client, id, inputs)
        if found is None:
            raise Refused(404, f"{id} was gone as soon as it had been written")
        return inputs | found[1]


def configured(client: Client, args: Values) -> Client:
    """The client with what the stack's `gcp:` settings, else the environment, say."""
    named = (os.environ[name] for name in _PROJECTS if os.environ.get(name))
    project = args.get("project") or next(named, "")
    token = args.get("accessToken") or os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN")
    token = token or _exchanged(client.url)
    marked = str(args.get("addPulumiAttributionLabel", "true")).lower() == "true"
    labels = _ATTRIBUTION if marked else {}
    client = replace(client, project=str(project), token=str(token), labels=labels)
    account = args.get("impersonateServiceAccount") or os.environ.get(_IMPERSONATE)
    return client.impersonating(str(account)) if account else client


def _exchanged(url: str) -> str:
    """A pipeline's token, for that of the key file which exchanges it at this very emulator."""
    try:
        key = json.loads(Path(os.environ.get(_KEY_FILE, "")).read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    if not str(key.get("token_url", "")).startswith(url):
        return ""
    from google.auth.exceptions import GoogleAuthError
    from google.auth.identity_pool import Credentials
    from google.auth.transport.requests import Request

    credentials = Credentials.from_info(key, scopes=[_SCOPE])
    try:
        credentials.refresh(Request())
    except GoogleAuthError as error:
        raise Refused(401, str(error)) from None
    return str(credentials.token)


def _resource(urn: str) -> Resource:
    """By the type in the URN, which ends with the types of its parents and its own."""
    return _served(RESOURCES, urn.split("::")[2].rpartition("$")[2])


def _served(catalog: Mapping[str, Entry], token: str) -> Entry:
    if token not in catalog:
        known = ", ".join(sorted(catalog))
        raise NotServed(f"The emulator's provider does not serve {token}. It serves: {known}.")
    return catalog[token]


def _given(inputs: Values) -> Values:
    """Inputs without those given as nothing."""
    return {name: value for name, value in inputs.items() if value is not None}
