"""A run's folder belongs to one recipe and its data; another run is refused it."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from faqra_data.errors import RecipeError

_IDENTITY = "run.json"


def claim(
    folder: Path,
    identity: Mapping[str, Mapping[str, Any]],
    *,
    command: str,
    begun: bool,
    may_change: Collection[str] = (),
) -> None:
    """Note whose run `folder` holds; RecipeError where that is another's.

    `identity` has parts (recipe, data) of named values. Where the folder's run has `begun`, all of
    them must be the same, but for those that `may_change`.
    """
    own = json.loads(json.dumps(identity))
    path = folder / _IDENTITY
    if not path.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RecipeError(
                f"{folder}: holds something that is no run of '{command}'; name a new or an "
                "empty folder with -o"
            )
        folder.mkdir(parents=True, exist_ok=True)
    elif begun:
        found = json.loads(path.read_text(encoding="utf-8"))
        different = [
            name
            for part in sorted(own.keys() | found.keys())
            for name in sorted(own.get(part, {}).keys() | found.get(part, {}).keys())
            if own.get(part, {}).get(name) != found.get(part, {}).get(name)
            and name not in may_change
        ]
        if different:
            raise RecipeError(
                f"{folder}: holds a run with another recipe or other data, different in "
                f"{', '.join(different)}; name another folder with -o, or remove this one"
            )
    text = json.dumps(own, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
