"""`faqra serve` as a user starts it: soon ready, answering, ending when told, clear refusals."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from servers import PATIENCE_S, free_port, start

pytest.importorskip("bentoml", reason="the service needs the extra 'serve'")
pytest.importorskip("fastapi", reason="the service needs the extra 'serve'")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode())


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_it_answers_over_http(service: str) -> None:
    body = {"paragraphs": ["وقال وزير الموارد المائية إن الإصلاحات ستنتهي خلال أسبوع."]}
    answer = post(f"{service}/v1/classify", body)
    assert answer["predictions"][0]["label"] == "official_quote"


def test_health_metrics_and_page_are_there(service: str) -> None:
    post(f"{service}/v1/classify", {"paragraphs": ["نص"]})
    get(f"{service}/livez")
    metrics = get(f"{service}/metrics")
    assert 'faqra_requests_total{route="/v1/classify",status="200"}' in metrics
    assert "faqra_batch_tokens_bucket" in metrics
    assert "<html" in get(f"{service}/")
    assert "/v1/articles" in json.loads(get(f"{service}/docs.json"))["paths"]


def test_what_is_no_route_is_told_in_the_one_shape(service: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        get(f"{service}/nowhere")
    assert raised.value.code == 404
    assert json.load(raised.value)["error"]["code"] == "no_such_route"


@pytest.mark.parametrize(
    ("options", "environment", "told"),
    [
        (["--model", "/nowhere"], {}, "faqra: /nowhere: no such model"),
        ([], {"FAQRA_PARAGRAPHS": "many"}, "faqra: FAQRA_PARAGRAPHS: expected a whole number"),
    ],
    ids=["model", "limit"],
)
def test_what_cannot_be_served_is_told_in_a_line(
    options: list[str], environment: dict[str, str], told: str
) -> None:
    process = start(free_port(), *options, **environment)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert output.startswith(told)
    assert output.count("\n") == 1


def test_an_altered_model_is_refused(tiny_model_folder: Path, tmp_path: Path) -> None:
    import shutil

    altered = tmp_path / "model"
    shutil.copytree(tiny_model_folder, altered)
    (altered / "faqra.json").write_text("{}", encoding="utf-8")
    process = start(free_port(), "--model", str(altered))
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "is not the file that was sealed" in output
