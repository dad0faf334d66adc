"""Messages: whole ones, or the end."""

import io

import pytest

from jobs.emulator.trainer import messages
from jobs.emulator.trainer.messages import Done


def test_who_is_gone_in_the_middle_of_a_message_is_gone() -> None:
    stream = io.BytesIO()
    messages.write(stream, Done(1, "said"))
    messages.write(stream, Done(2, "much more than that"))
    stream = io.BytesIO(stream.getvalue()[:-9])

    assert messages.read(stream) == Done(1, "said")
    with pytest.raises(EOFError):
        messages.read(stream)
    with pytest.raises(EOFError):
        messages.read(stream)
