"""Speed, bounds and faults, each measured beside what it has to be.

    python serving/benchmarks service                      all of the service, in full
    python serving/benchmarks batch                        all of faqra classify
    python serving/benchmarks service --quick              so short that only faults are seen
    python serving/benchmarks service throughput latency   these two subjects

All of it runs on this machine; whatever else runs on it shows in the figures. See
serving/README.md.
"""

import argparse
import sys
import time
from collections.abc import Callable

import killed
import latency
import overload
import soak
import start
import throughput
import tracing
from batch import engines, growth, killed_runs, speed, stages
from report import Figure, Setting, machine, show

SUBJECTS: dict[str, dict[str, Callable[[Setting], list[Figure]]]] = {
    "service": {
        "start": start.measure,
        "latency": latency.measure,
        "throughput": throughput.measure,
        "overload": overload.measure,
        "killed": killed.measure,
        "tracing": tracing.measure,
        "soak": soak.measure,
    },
    "batch": {
        "speed": speed.measure,
        "killed": killed_runs.measure,
        "engines": engines.measure,
        "stages": stages.measure,
        "growth": growth.measure,
    },
}


def main() -> int:
    """Measure what is named, or everything; 1 where something is missed."""
    parser = argparse.ArgumentParser(prog="serving/benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("of", choices=SUBJECTS, help="what is measured")
    parser.add_argument(
        "chosen",
        nargs="*",
        metavar="SUBJECT",
        help="; ".join(f"{of}: {', '.join(each)}" for of, each in SUBJECTS.items()),
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes; speed is not judged")
    parser.add_argument("--model", metavar="REF", help="model folder (default: bundled)")
    parser.add_argument("--infinity", metavar="URL", help="an infinity-emb that serves it")
    args = parser.parse_intermixed_args()
    subjects = SUBJECTS[args.of]
    unknown = [name for name in args.chosen if name not in subjects]
    if unknown:
        parser.error(f"expected subjects among {', '.join(subjects)}, got {', '.join(unknown)}")
    setting = Setting(args.model, args.quick, args.infinity)
    print(machine())
    missed = []
    for name in args.chosen or subjects:
        began = time.perf_counter()
        figures = subjects[name](setting)
        show(f"{name} ({time.perf_counter() - began:.0f} s)", figures)
        missed += [
            f"{name}: {one.what} {one.measured}, asked {one.asked}"
            for one in figures
            if one.met is False and not (one.of_speed and setting.quick)
        ]
    print("\n" + ("\n".join(missed) or "Nothing was missed."))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
