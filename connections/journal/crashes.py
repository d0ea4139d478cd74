"""Who is told of crashes besides the log. Imports no model: a worker sets it up before there are any."""

from collections.abc import Callable

_reporters: list[Callable[[BaseException], object]] = []


def report_to(reporter: Callable[[BaseException], object]) -> None:
    """Have ``reporter`` get each crash of this process from now on. It must not raise, nor pass on what is secret."""
    _reporters.append(reporter)


def report(error: BaseException) -> None:
    """Tell the reporters of a crash, if there are any."""
    for reporter in _reporters:
        reporter(error)
