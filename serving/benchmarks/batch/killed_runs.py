"""kill -9 at random moments, and --resume: the output of a run that nobody disturbed."""

import random
import subprocess
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from batch.archives import write_archive
from batch.runs import classified, command
from report import Figure, Setting, counted, exactly, noted

_SEED = 11


def measure(setting: Setting) -> list[Figure]:
    """Each run is killed once more than it goes on; where it was over too soon, another is."""
    chance = random.Random(_SEED)
    kills = setting.size(25, 2)
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / "archive.jsonl"
        write_archive(archive, setting.size(3_000, 2_500))
        whole, output = Path(place) / "whole.parquet", Path(place) / "out.parquet"
        seconds = classified(setting.model, archive, whole).seconds
        wanted = _digest(whole)
        killed = differing = resumed = 0
        while killed < kills:
            line = command(setting.model, archive, output)
            process = subprocess.Popen(line, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, seconds))
            if process.poll() is not None:
                output.unlink()
                continue
            process.kill()
            process.wait()
            killed += 1
            resumed += (Path(place) / f".{output.name}.journal").exists()
            classified(setting.model, archive, output, "--resume")
            differing += _digest(output) != wanted
            output.unlink()
        left = len(list(Path(place).iterdir())) - 2
    return [
        exactly("killed and resumed", killed, kills),
        exactly("outputs that differ", differing),
        exactly("files left behind", left),
        counted("had something to go on with", resumed),
        noted("a run that is not killed", seconds, "s"),
    ]


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
