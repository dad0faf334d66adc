"""The JSON Schema of a spec, for editors; jobs/schema.json is generated from it."""

from typing import Any

from jobs.runner import catalog
from jobs.runner.spec import Spec


def schema() -> dict[str, Any]:
    """Draft 2020-12, with the base models of the catalog as examples, not as the only ones."""
    body = Spec.model_json_schema()
    body = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    body["title"] = "vertune spec"
    body["properties"]["base_model"]["examples"] = list(catalog.load().base_models)
    return body
