"""What was measured, beside what it has to be."""

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

_VERSIONS = ("bentoml", "uvicorn", "onnxruntime", "torch", "transformers", "aiohttp")


@dataclass(frozen=True)
class Setting:
    """What to measure: a model (None: the bundled one), in full or quickly, and who else runs."""

    model: str | None
    quick: bool
    infinity: str | None = None

    def size(self, full: int, quick: int) -> int:
        """How many of something."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Figure:
    """One measured figure; `met` is None where nothing is asked of it.

    `of_speed` figures are the machine's as well as the service's: a quick run, which is too short
    to measure any, does not fail for them.
    """

    what: str
    measured: str
    asked: str = ""
    met: bool | None = None
    of_speed: bool = False


def at_least(what: str, value: float, least: float, unit: str) -> Figure:
    """A speed that has to be reached."""
    return Figure(what, _said(value, unit), f">= {least:g} {unit}", value >= least, True)


def at_most(what: str, value: float, most: float, unit: str) -> Figure:
    """A time or size that may not be exceeded."""
    return Figure(what, _said(value, unit), f"<= {most:g} {unit}", value <= most, True)


def exactly(what: str, count: int, expected: int = 0) -> Figure:
    """A count that has to be right however fast the machine is."""
    return Figure(what, f"{count:,}", f"= {expected:,}", count == expected)


def noted(what: str, value: float, unit: str) -> Figure:
    """A figure that explains others."""
    return Figure(what, _said(value, unit))


def counted(what: str, count: int) -> Figure:
    """A count that explains others."""
    return Figure(what, f"{count:,}")


def machine() -> str:
    """Where and with what it was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _VERSIONS)
    cores, python = len(os.sched_getaffinity(0)), platform.python_version()
    return f"{cores} cores of {model}, {platform.system()}, Python {python}, {versions}"


def show(subject: str, figures: list[Figure]) -> None:
    """A Markdown table, as it goes into a README."""
    print(f"\n### {subject}\n\n| what | measured | asked | |\n| --- | ---: | ---: | --- |")
    for one in figures:
        verdict = {None: "", True: "met", False: "**missed**"}[one.met]
        print(f"| {one.what} | {one.measured} | {one.asked} | {verdict} |", flush=True)


def _said(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
