"""Globs: the patterns of `matchGlob` as regular expressions."""

import re

from jobs.emulator.errors import invalid

_TOKEN = re.compile(
    r"(?P<deep>\*\*/?)|(?P<any>\*)|(?P<one>\?)|\[(?P<not>[!^]?)(?P<set>[^\]]+)\]"
    r"|(?P<open>\{)|(?P<or>,)|(?P<close>\})|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)


def compile_glob(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stop at a slash, `**` does not; `[ab]` and `{a,b}` choose."""
    depth, out = 0, []
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        depth += (kind == "open") - (kind == "close")
        out.append(_translated(token, depth))
        if depth < 0:
            break
    try:
        if depth == 0:
            return re.compile("".join(out), re.DOTALL)
    except re.error:
        pass
    raise invalid(f"Invalid value for matchGlob: '{pattern}'")


def _translated(token: re.Match[str], depth: int) -> str:
    match token.lastgroup:
        case "deep":
            return "(?:.*/)?" if token["deep"].endswith("/") else ".*"
        case "any":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "set":
            inner = re.sub(r"([\\\[&~|])", r"\\\1", token["set"])
            return f"[{'^' if token['not'] else ''}{inner}]"
        case "open":
            return "(?:"
        case "or":
            return "|" if depth else ","
        case "close":
            return ")"
        case _:
            return re.escape(token["escaped"] or token[0])
