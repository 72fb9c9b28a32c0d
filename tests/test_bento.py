"""A Bento as `make bento` builds it: the service with faqra's wheel, and it answers."""

import json
import os
import subprocess
import tomllib
import urllib.request
from pathlib import Path

import pytest
import servers

pytest.importorskip("bentoml", reason="the service needs the extra 'serve'")

ROOT = Path(__file__).parents[1]


def test_the_bento_takes_the_wheel_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    recipe = (ROOT / "serving" / "bentofile.yaml").read_text(encoding="utf-8")
    assert f"dist/faqra-{version}-py3-none-any.whl" in recipe


@pytest.mark.slow
def test_a_built_bento_answers(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    environment = {**os.environ, "BENTOML_HOME": home, "BENTOML_DO_NOT_TRACK": "True"}
    subprocess.run(["make", "bento"], cwd=ROOT, env=environment, check=True, capture_output=True)
    bento = ("bentoml", "serve", "faqra:latest")
    with servers.running(command=bento, BENTOML_HOME=home) as url:
        request = urllib.request.Request(
            f"{url}/v1/classify",
            json.dumps({"paragraphs": ["وقال الوزير إن الإصلاحات ستنتهي غدا."]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            (prediction,) = json.load(response)["predictions"]
    assert prediction["label"] == "official_quote"
