"""The documents say what the program does: generated pages are fresh, commands and settings are documented."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from xml.etree import ElementTree

from beyond_quota.cli import app
from config.settings import Settings
from connectors import KINDS
from connectors.salesforce.objects import WRITTEN
from connectors.salesforce.options import WriteBack
from metrics.__main__ import page

ROOT = Path(__file__).parents[1]
OURS = ("beyond_quota", "config", "connectors", "metrics", "models", "sandbox", "sync", "web")


def test_the_page_of_metrics_is_fresh() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == page(), "run: python -m metrics > docs/metrics.md"


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert f"beyond-quota {name}" in readme or f"`{name}`" in readme, name


def test_every_setting_is_in_the_commented_example() -> None:
    example = (ROOT / "config" / "example.toml").read_text()
    for name in Settings.model_fields:
        assert re.search(rf"^(# )?\[?{name}\b", example, re.MULTILINE), name
    assert set(KINDS) == {c["kind"] for c in tomllib.loads(example)["connections"].values()}


def test_links_between_documents_lead_somewhere() -> None:
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_decisions_are_short_and_files_are_rooms_not_halls() -> None:
    for file in (ROOT / "docs" / "adr").glob("*.md"):
        assert len(file.read_text().splitlines()) <= 60, file.name
    for folder in OURS:
        for code in (ROOT / folder).rglob("*.py"):
            if "migrations" not in code.parts:
                assert len(code.read_text().splitlines()) <= 500, code


def test_the_salesforce_package_makes_exactly_the_fields_that_are_written() -> None:
    package = ROOT / "docs" / "salesforce-package"
    thing = WriteBack()
    made = ElementTree.parse(package / "objects" / f"{thing.object}.object").getroot()
    assert {f.text for f in made.iterfind("{*}fields/{*}fullName")} == {thing.key, *WRITTEN.values()}
    rights = ElementTree.parse(package / "permissionsets" / "Beyond_Quota_Writer.permissionset").getroot()
    allowed = {str(f.text).rsplit(".", 1)[-1] for f in rights.iterfind("{*}fieldPermissions/{*}field")}
    assert allowed == set(WRITTEN.values())  # a required field needs no permission of its own


def test_no_other_distribution_ships_our_names() -> None:
    owners = packages_distributions()
    for name in OURS:
        assert set(owners.get(name, [])) <= {"beyond-quota"}, f"{owners.get(name)} would overwrite {name}"
