"""Models in the BentoML store, named by tags such as `news:v2`; serving and rolling back by tag.

The only module of the room that knows BentoML.
"""

import shutil
from pathlib import Path

from faqra_data.errors import MissingExtraError, ModelError
from faqra_models.folder import ModelFolder

_FRAMEWORK = "faqra"


def find(tag: str) -> Path:
    """The folder of a stored model; ModelError where the store has none of that tag."""
    try:
        import bentoml  # noqa: PLC0415 - a second, for references to the store only
    except ImportError as error:
        raise MissingExtraError("bentoml", "serve", f"The Bento model {tag}") from error
    try:
        return Path(bentoml.models.get(tag).path)
    except bentoml.exceptions.NotFound as error:
        raise ModelError(f"{tag}: no such model in the Bento store") from error
    except bentoml.exceptions.BentoMLException as error:
        raise ModelError(f"{tag}: not a Bento model tag: {error}") from error


def put(path: Path, name: str) -> str:
    """Copy a model folder into the store; the tag under which it can be served.

    `name` may bring a version, `news:v2`; else BentoML makes one. Labels, digest and scores become
    the model's metadata, which `bentoml models get` shows. Raises ModelError where the folder is
    no sound model, or the tag is taken.
    """
    try:
        import bentoml  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingExtraError("bentoml", "serve", "The Bento store") from error
    folder = ModelFolder.open(path)
    settings = folder.settings
    in_context = settings.history.get("scores", {}).get("in_context", {})
    metadata = {
        "name": settings.name,
        "digest": folder.digest,
        "labels": list(settings.labels),
        "scores": {key: in_context[key] for key in ("macro_f1", "accuracy") if key in in_context},
    }
    try:
        with bentoml.models.create(
            name, labels={"framework": _FRAMEWORK}, metadata=metadata
        ) as model:
            shutil.copytree(folder.path, model.path, dirs_exist_ok=True)
        return str(model.tag)
    except bentoml.exceptions.BentoMLException as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"{name}: the Bento store does not take it: {reason}") from error
