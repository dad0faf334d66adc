"""Publisher models: the base models there are; what is retired is not listed any more."""

from typing import Any

from jobs.emulator.errors import rpc_error
from jobs.emulator.vertex.catalog import BaseModel, Catalog
from jobs.emulator.wire import Answer, Request, Route


class Publishers:
    """Of no project and no location, as on Google Cloud."""

    def __init__(self, catalog: Catalog) -> None:
        self._models = catalog.models

    def routes(self, root: str) -> list[Route]:
        path = f"/{root}/publishers/google/models"
        return [Route("GET", path, self._list), Route("GET", f"{path}/{{id}}", self._get)]

    def _list(self, _: Request) -> Answer:
        return {"publisherModels": [_described(one) for one in self._models.values()]}

    def _get(self, request: Request) -> Answer:
        base = self._models.get(request.params["id"])
        if base is None:
            name = f"publishers/google/models/{request.params['id']}"
            raise rpc_error("NOT_FOUND", f"Publisher Model `{name}` is not found.")
        return _described(base)


def _described(base: BaseModel) -> dict[str, Any]:
    return {
        "name": f"publishers/google/models/{base.id}",
        "versionId": "default",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": "GA",
    }
