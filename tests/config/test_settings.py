"""The settings file: read whole, every problem named, secrets kept out of it."""

from pathlib import Path

import pytest

from config.settings import load_settings, reveal
from models.errors import UserError

EXAMPLE = Path(__file__).parents[2] / "config" / "example.toml"


def test_the_commented_example_is_a_valid_settings_file() -> None:
    settings = load_settings(EXAMPLE)
    assert list(settings.connections) == ["office", "salesforce", "hubspot"]
    assert settings.connections["hubspot"].schedule is not None


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('zone = "Mars/North"\ncurrency = "EURO"\nlooback = true\n[connections.a]\ntitle = "no kind"\n')
    with pytest.raises(UserError) as caught:
        load_settings(file)
    assert len(caught.value.problems) == 4
    text = str(caught.value)
    assert "zone: 'Mars/North' is no time zone; write one such as Europe/London" in text
    assert "currency" in text
    assert "looback" in text
    assert "connections.a.kind" in text


def test_paths_are_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[connections.s]\nkind = "spreadsheet"\nfolder = "sheets"\n')
    settings = load_settings(file)
    assert settings.database == f"sqlite:///{tmp_path / 'beyond-quota.sqlite3'}"
    assert settings.connections["s"].options == {"folder": str(tmp_path / "sheets")}
    assert settings.landing == tmp_path / "landing"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x.toml"
    file.write_text('currency = "EUR"\n')
    monkeypatch.setenv("BEYOND_QUOTA_CURRENCY", "USD")
    assert load_settings(file).currency == "USD"


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("two\n")
    monkeypatch.setenv("ONE", "one")
    found = reveal("x", {"a": "env:ONE", "b": f"file:{tmp_path / 'token'}", "c": 3})
    assert found == {"a": "one", "b": "two", "c": 3}
    with pytest.raises(UserError, match="connection x: a secret is missing") as caught:
        reveal("x", {"a": "env:NOT_SET", "b": "file:/nowhere/at/all"})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("text", ["this is = = not toml", "\xff"])
def test_a_file_that_is_no_toml_is_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="is not valid TOML"):
        load_settings(file)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="beyond-quota init"):
        load_settings(tmp_path / "none.toml")
