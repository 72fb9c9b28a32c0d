"""What a program may rely on: the names of the front door, and what they are."""

import inspect

import faqra

NAMES = {
    "Article": "faqra_data.article",
    "Client": "faqra.client",
    "FaqraError": "faqra_data.errors",
    "ParagraphPrediction": "faqra_models.prediction",
    "Prediction": "faqra_models.prediction",
    "ServiceError": "faqra.client.answers",
    "batch": "faqra_serving.columns",
    "load": "faqra_models.loading",
}


def test_the_front_door_has_these_names_and_no_others() -> None:
    assert sorted(faqra.__all__) == sorted([*NAMES, "__version__"])
    assert dir(faqra) == faqra.__all__


def test_every_name_is_there_and_documented() -> None:
    for name, home in NAMES.items():
        value = getattr(faqra, name)
        assert value.__module__ == home
        assert inspect.getdoc(value)


def test_predictions_have_the_fields_of_the_contract() -> None:
    fields = {"label", "confidence", "probabilities", "truncated"}
    assert fields <= set(dir(faqra.Prediction({"a": 0.9, "b": 0.1})))
    assert {*fields, "text", "index", "start", "end"} <= set(
        dir(faqra.ParagraphPrediction({"a": 0.9, "b": 0.1}))
    )
