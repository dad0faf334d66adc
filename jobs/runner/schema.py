"""The JSON Schema of a spec, for editors; jobs/schema.json is generated from it."""

from typing import Any

from jobs.runner import catalog
from jobs.runner.spec import NOT_OVERRIDDEN, Spec


def schema() -> dict[str, Any]:
    """Draft 2020-12, with the base models of the catalog as examples, not as the only ones."""
    body = Spec.model_json_schema()
    body = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    body["title"] = "vertune spec"
    properties = body["properties"]
    properties["base_model"]["examples"] = list(catalog.load().base_models)
    properties["labels"]["additionalProperties"] = False  # a key that matches no pattern
    properties["overrides"]["additionalProperties"] = {"$ref": "#/$defs/Override"}
    body["$defs"]["Override"] = _override(properties)
    return body


def _override(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "additionalProperties": False,
        "description": "Values for one stack; null takes one away.",
        "properties": {key: of for key, of in properties.items() if key not in NOT_OVERRIDDEN},
        "title": "Override",
        "type": "object",
    }
