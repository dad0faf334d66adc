"""Written: lines as a JSON library writes them, whose conversion needs no look at any of them.

They are what is wanted but for what stands before, between and behind the two texts of each.
"""

from collections.abc import Mapping, Sequence

from jobs.runner.forms import Form

_LAYOUTS: Mapping[Form, tuple[str, str, str]] = {
    "input_text": ('{"input_text": "', '", "output_text": "', '"}'),
    "messages": (
        '{"messages": [{"role": "user", "content": "',
        '"}, {"role": "assistant", "content": "',
        '"}]}',
    ),
    "contents": (
        '{"contents": [{"role": "user", "parts": [{"text": "',
        '"}]}, {"role": "model", "parts": [{"text": "',
        '"}]}]}',
    ),
}
_OTHERWISE = (b"\\u", b"\\/")  # escapes that are not needed


def _dense(layout: Sequence[str]) -> list[bytes]:
    return [part.replace(": ", ":").replace(", ", ",").encode() for part in layout]


_WANTED = _dense(_LAYOUTS["contents"])


def converted(form: Form, lines: bytes, count: int) -> bytes | None:
    """So many lines of a question and an answer each; None where any is written in another way.

    The lines are sound, so a part of a layout with its quotes stands only where it belongs.
    """
    if any(escape in lines for escape in _OTHERWISE):
        return None
    spaced = [part.encode() for part in _LAYOUTS[form]]
    for start, between, end in (spaced, _dense(_LAYOUTS[form])):
        joint = end + b"\n" + start
        if lines.startswith(start) and lines.endswith(end) and lines.count(between) == count:
            if lines.count(joint) != count - 1:
                return None
            first, then, last = _WANTED
            texts = lines[len(start) : -len(end)].replace(between, then)
            return first + texts.replace(joint, last + b"\n" + first) + last + b"\n"
    return None
