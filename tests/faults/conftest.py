"""The figures of what was tried, at the end of the session that tried it."""

from _pytest.terminal import TerminalReporter

from tests.faults.figures import STORMS, TABLE


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    for title, figures in (("fault table", TABLE), ("storms", STORMS)):
        if figures.cases:
            terminalreporter.section(title)
            for line in figures.lines():
                terminalreporter.write_line(line)
