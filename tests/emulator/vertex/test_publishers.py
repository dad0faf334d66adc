"""Publisher models: listed and read by Google's own client; what is retired is not there."""

import pytest
from google.genai.errors import ClientError

from tests.emulator.vertex.place import BASE, Place


def test_base_models_are_listed_without_the_retired_ones(place: Place) -> None:
    names = {model.name for model in place.client().models.list(config={"query_base": True})}
    assert f"publishers/google/models/{BASE}" in names
    assert not any("gemini-2.5" in (name or "") for name in names)


def test_one_is_read_by_its_name_and_a_retired_one_is_not_found(place: Place) -> None:
    models = place.client().models
    assert models.get(model=BASE).name == f"publishers/google/models/{BASE}"
    with pytest.raises(ClientError, match="404 NOT_FOUND"):
        models.get(model="gemini-2.5-flash")
