"""Reads the working-group profiles: the four that are shipped, or a folder of your own."""

import tomllib
from collections.abc import Set
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from config.settings import problems
from models.errors import UserError
from models.profile import Profile


def load_profiles(folder: Path | None = None, known_metrics: Set[str] | None = None) -> dict[str, Profile]:
    """Every profile by its key; a UserError names every problem with its file and place."""
    place: Traversable = files("config") / "profiles" if folder is None else folder
    if not place.is_dir():
        raise UserError(f"there is no folder of profiles {folder}")
    found: dict[str, Profile] = {}
    wrong: list[str] = []
    for file in sorted((f for f in place.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
        key = file.name.removesuffix(".toml")
        try:
            profile = Profile.model_validate({"key": key, **tomllib.loads(file.read_text(encoding="utf-8"))})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            wrong.append(f"{file.name}: not valid TOML: {error}")
            continue
        except ValidationError as error:
            wrong += [f"{file.name}: {problem}" for problem in problems(error)]
            continue
        asked = {c.metric for step in profile.ladder for c in step.criteria if c.metric}
        named = {*profile.metrics, *profile.blend.parts, *asked}
        unknown = sorted(named - known_metrics) if known_metrics is not None else []
        if unknown:
            wrong.append(f"{file.name}: there is no metric {', '.join(unknown)}; see docs/metrics.md")
        found[key] = profile
    if wrong:
        raise UserError("the profiles have problems:", wrong)
    if not found:
        raise UserError(f"there is no profile in {place}; copy one from config/profiles")
    return found
