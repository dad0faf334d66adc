"""Timestamps as the wire has them."""

from datetime import UTC, datetime


def timestamp(microsecond: int) -> str:
    moment = datetime.fromtimestamp(microsecond // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microsecond % 1_000_000:06d}Z"
