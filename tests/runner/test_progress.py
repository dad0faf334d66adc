"""Progress: few plain lines where nobody watches, bars with the time left where somebody does."""

import io
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from jobs.runner.progress import Watch
from jobs.runner.vertex import Job


def job(state: str, detail: str | None = None, step: int | None = None) -> Job:
    steps = None if step is None else 40
    return Job("projects/p/locations/l/tuningJobs/7", state, detail, {}, step=step, steps=steps)


def watching(terminal: bool) -> tuple[Watch, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=terminal,
        width=100,
        highlight=False,
        markup=False,
        emoji=False,
        color_system=None,
        legacy_windows=False,
    )
    return Watch(console), stream


def test_a_line_tells_of_every_state_and_every_tenth_of_the_way() -> None:
    watch, stream = watching(terminal=False)
    with watch:
        for _ in range(3):
            watch.moved("one", job("PENDING"))
        for step in range(41):
            watch.moved("one", job("RUNNING", "TUNING_JOB", step))
        for _ in range(3):
            watch.moved("one", job("SUCCEEDED", None, 40))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "one: pending"
    assert lines[1:-1] == [f"one: tuning job, step {step} of 40" for step in range(0, 41, 4)]
    assert lines[-1] == "one: succeeded, step 40 of 40"


def test_a_detail_is_told_only_while_the_job_runs() -> None:
    watch, stream = watching(terminal=False)
    with watch:
        watch.moved("one", job("RUNNING", "WAITING_FOR_QUOTA"))
        watch.moved("one", job("FAILED", "WAITING_FOR_QUOTA"))
    assert stream.getvalue().splitlines() == ["one: waiting for quota", "one: failed"]


def test_jobs_side_by_side_are_told_apart() -> None:
    watch, stream = watching(terminal=False)
    with watch:
        for name in ("one", "two", "one", "two"):
            watch.moved(name, job("PENDING"))
    assert stream.getvalue().splitlines() == ["one: pending", "two: pending"]


def test_answers_from_many_threads_are_counted_once_each() -> None:
    watch, stream = watching(terminal=False)
    with watch, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: watch.answered("one", 4000), range(4000)))
    assert stream.getvalue().splitlines() == [
        "one: evaluating on held-out examples, answer 1 of 4000",
        "one: evaluating on held-out examples, answer 4000 of 4000",
    ]


def test_nothing_moves_where_nobody_watches() -> None:
    watch, stream = watching(terminal=False)
    with watch:
        watch.moved("one", job("RUNNING", None, 20))
        watch.said("one", "tuned and served")
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_a_terminal_shows_how_far_it_is_and_the_time_left() -> None:
    watch, stream = watching(terminal=True)
    with watch:
        watch.moved("one", job("PENDING"))
        watch.moved("one", job("RUNNING", "TUNING", 10))
        watch.moved("one", job("RUNNING", "TUNING", 20))
        watch._bars.refresh()
        for _ in range(3):
            watch.answered("one", 4)
    shown = stream.getvalue()
    assert "tuning 20/40" in shown
    assert "50 %" in shown
    assert "0:00:" in shown
    assert "evaluating 3/4" in shown
    assert "━" in shown
    assert "one: " not in shown  # no lines besides


def test_what_is_said_stands_above_the_bars() -> None:
    watch, stream = watching(terminal=True)
    with watch:
        watch.moved("one", job("RUNNING", "TUNING", 10))
        watch.said("one", "adopted projects/p/locations/l/tuningJobs/7")
    assert "one: adopted projects/p/locations/l/tuningJobs/7\n" in stream.getvalue()


def test_words_of_a_service_cannot_act_on_the_terminal() -> None:
    for terminal in (False, True):
        watch, stream = watching(terminal)
        with watch:
            watch.said("one", "failed: \x1b]0;owned\x07 [red]x[/red] :boom: and\na second line")
        assert "\x1b]0" not in stream.getvalue()
        assert "one: failed: \\x1b]0;owned\\x07 [red]x[/red] :boom: and\n" in stream.getvalue()
        assert "a second line\n" in stream.getvalue()


def test_a_long_line_is_not_broken_for_a_log() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=40, soft_wrap=True, markup=False)
    with Watch(console) as watch:
        watch.said("one", "word " * 30)
    assert len(stream.getvalue().splitlines()) == 1


def test_counting_is_told_once_it_is_done() -> None:
    watch, stream = watching(terminal=False)
    with watch:
        for _ in range(3):
            watch.counted("one", 12, 4)
    assert stream.getvalue() == "one: the tokens of 12 examples are counted\n"
