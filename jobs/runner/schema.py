"""The JSON Schema of a spec, for editors; jobs/schema.json is generated from it."""

from typing import Any

from jobs.runner import catalog, rules
from jobs.runner.spec import NOT_OVERRIDDEN, Spec


def schema() -> dict[str, Any]:
    """Draft 2020-12, with the base models that could be tuned when the catalog was read.

    They are examples, not the only ones: of a retired one `check` says more than an editor can.
    """
    body = Spec.model_json_schema()
    body = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    body["title"] = "vertune spec"
    properties = body["properties"]
    known = catalog.load()
    properties["base_model"]["examples"] = known.tunable(known.read)
    properties["labels"]["additionalProperties"] = False  # a key that matches no pattern
    properties["overrides"]["additionalProperties"] = {"$ref": "#/$defs/Override"}
    _explain(body["$defs"]["Ignored"]["properties"]["id"])
    for part in (body, *body["$defs"].values()):
        part["properties"] = {key: _shown(key, of) for key, of in part["properties"].items()}
    body["$defs"]["Override"] = _override(body["properties"])
    return body


def _shown(key: str, of: dict[str, Any]) -> dict[str, Any]:
    """Without null as what to write first; of several types in one, as editors repeat the text."""
    kept = {name: value for name, value in of.items() if (name, value) != ("default", None)}
    kept["title"] = key
    if (kinds := kept.pop("anyOf", None)) is None:
        return kept
    merged: dict[str, Any] = {"type": [kind["type"] for kind in kinds]}
    for kind in kinds:
        merged |= {name: value for name, value in kind.items() if name not in ("type", "const")}
        if "const" in kind:  # holds for text alone, as what is said of numbers for them
            merged["pattern"] = f"^{kind['const']}$"
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    return merged | kept


def _explain(ids: dict[str, Any]) -> None:
    """What each id means, in the way of VS Code and in that of JetBrains' editors."""
    what = {id: rules.RULES[id].what for id in ids["enum"]}
    ids["enumDescriptions"] = [*what.values()]
    ids["x-intellij-enum-metadata"] = {id: {"description": said} for id, said in what.items()}


def _override(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "additionalProperties": False,
        "description": "Values for one stack; null takes one away.",
        "properties": {key: of for key, of in properties.items() if key not in NOT_OVERRIDDEN},
        "title": "Override",
        "type": "object",
    }
