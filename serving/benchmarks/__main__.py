"""The service's speed, its bounds and its faults, each measured beside what it has to be.

    python serving/benchmarks                         all subjects, in full: see serving/README.md
    python serving/benchmarks --quick                 all, so short that only faults are seen
    python serving/benchmarks throughput latency      these two

Servers and the client run on this machine; anything else that runs on it shows in the figures.
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
from report import Figure, Setting, machine, show

SUBJECTS: dict[str, Callable[[Setting], list[Figure]]] = {
    "start": start.measure,
    "latency": latency.measure,
    "throughput": throughput.measure,
    "overload": overload.measure,
    "killed": killed.measure,
    "tracing": tracing.measure,
    "soak": soak.measure,
}


def main() -> int:
    """Measure what is named, or everything; 1 where something is missed."""
    parser = argparse.ArgumentParser(prog="serving/benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--quick", action="store_true", help="tiny sizes; speed is not judged")
    parser.add_argument("--model", metavar="REF", help="model folder (default: bundled)")
    parser.add_argument("--infinity", metavar="URL", help="an infinity-emb that serves it")
    args = parser.parse_args()
    unknown = [name for name in args.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"expected subjects among {', '.join(SUBJECTS)}, got {', '.join(unknown)}")
    setting = Setting(args.model, args.quick, args.infinity)
    print(machine())
    missed = []
    for name in args.subjects or SUBJECTS:
        began = time.perf_counter()
        figures = SUBJECTS[name](setting)
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
