"""The command line. Exit codes: 0 done, 1 failed, 2 wrong use, 3 partly done, 4 running elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

import beyond_quota
from beyond_quota.answers import DONE, FAILED, LOCKED

app = typer.Typer(
    help="Puts a salesperson's development beside the number they are judged by.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use, 3 partly done, 4 running elsewhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # coloured help costs a third of a second at every start
)

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The installation's settings file.", envvar="BEYOND_QUOTA_CONFIG")
]
Now = Annotated[str | None, typer.Option("--now", help="Take this to be now: 2026-11-24T09:00+00:00, or a day.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Figures as they stood at the end of this day: 2026-11-24.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
AllowRemovals = Annotated[int, typer.Option(help="How many rows the brake may let go, this once.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")]
Streams = Annotated[list[str] | None, typer.Option("--stream", help="Only this stream; may be said several times.")]
SETTINGS = Path("beyond-quota.toml")


def main() -> None:
    """Run the command line; what a person can put right is one sentence on stderr, never a traceback."""
    with sentences():
        app()


@contextmanager
def sentences() -> Iterator[None]:
    """Turn errors that a person can act on into sentences and exit codes."""
    try:
        yield
    except BrokenPipeError:
        sys.exit(DONE)
    except Exception as error:
        from models.errors import UserError  # late: it brings the tables along, and --help does not need them

        if not isinstance(error, UserError):
            raise
        typer.echo(f"beyond-quota: {error}", err=True)
        sys.exit(LOCKED if type(error).__name__ == "Locked" else FAILED)
    except KeyboardInterrupt:
        typer.echo("\nbeyond-quota: stopped; what was stored stays, the next run goes on from there", err=True)
        sys.exit(130)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command; store errors read as sentences too."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        from sqlalchemy.exc import DBAPIError

        from models.errors import UserError

        try:
            function(*args, **kwargs)
        except DBAPIError as error:
            cause = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
            raise UserError(f"the store cannot be used: {cause}; see `database` in the settings") from None

    app.command()(run)
    return run


def day(text: str | None) -> date | None:
    """A day as typed, where one was."""
    return None if text is None else exact_day(text)


def exact_day(text: str) -> date:
    """A day as typed."""
    from models.errors import UserError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is no day; write it like 2026-11-24") from None


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Puts a salesperson's development beside the number they are judged by."""
    if show_version:
        typer.echo(f"beyond-quota {beyond_quota.__version__}")
        raise typer.Exit


@command
def init(config: Config = SETTINGS) -> None:
    """Write a commented settings file to begin with."""
    from importlib.resources import files

    from models.errors import UserError

    if config.exists():
        raise UserError(f"{config} is there already; nothing was changed")
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text((files("config") / "example.toml").read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(f"wrote {config}: fill in the connections, then run `beyond-quota check`")


@command
def check(
    connection: Annotated[list[str] | None, typer.Argument(help="Which connections; all without one.")] = None,
    config: Config = SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Test connections: sign-in, objects, fields; name what is missing and what works without it."""
    from beyond_quota.sources import check_connections

    raise typer.Exit(check_connections(config, connection, as_json))


@command
def sync(
    connection: Annotated[
        list[str] | None, typer.Argument(help="Which connections; all, in order, without one.")
    ] = None,
    config: Config = SETTINGS,
    now: Now = None,
    allow_removals: AllowRemovals = 0,
    full: Annotated[bool, typer.Option("--full", help="Read everything whole and compare every count.")] = False,
    stream: Streams = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read what changed from the connections and compute the scorecards concerned."""
    from beyond_quota.sources import sync_connections

    how = {"allow_removals": allow_removals, "full": full, "streams": stream or []}
    raise typer.Exit(sync_connections(config, connection, now, as_json, dry_run, **how))


@command
def replay(
    connection: Annotated[str, typer.Argument(help="Whose landed batches.")],
    stream: Streams = None,
    config: Config = SETTINGS,
    now: Now = None,
    allow_removals: AllowRemovals = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """After a mapping fix: translate what was landed with today's field map, without a call to the source."""
    from beyond_quota.again import replay_connection

    raise typer.Exit(replay_connection(config, connection, stream or [], now, allow_removals, dry_run, as_json))


@command
def backfill(
    connection: Annotated[str, typer.Argument(help="Which connection.")],
    first: Annotated[str, typer.Option("--from", help="The first close date: 2025-01-01.")],
    end: Annotated[str, typer.Option("--to", help="The day after the last one: 2025-04-01.")],
    config: Config = SETTINGS,
    now: Now = None,
    allow_removals: AllowRemovals = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read the deals that close, and the quotas that begin, in a range of days anew; no cursor moves."""
    from beyond_quota.again import backfill_connection

    span = (exact_day(first), exact_day(end))
    raise typer.Exit(backfill_connection(config, connection, *span, now, allow_removals, dry_run, as_json))


@app.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="The folder with the CSV or Excel files.")],
    mapping: Annotated[Path | None, typer.Option("--mapping", "-m", help="Which column is what: a TOML file.")] = None,
    name: Annotated[str, typer.Option(help="What to call this connection.")] = "import",
    config: Config = SETTINGS,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Load a folder of spreadsheets as a connection of its own, by a column mapping."""
    from beyond_quota.sources import import_folder

    raise typer.Exit(import_folder(config, folder, mapping, name, now, as_json))


@command
def publish(
    connection: Annotated[str, typer.Argument(help="The connection whose CRM gets the figures.")],
    config: Config = SETTINGS,
    now: Now = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write attainment, pace and coverage back to a CRM; only where write_back is enabled."""
    from beyond_quota.writing import publish_figures

    raise typer.Exit(publish_figures(config, connection, now, dry_run, as_json))


@command
def score(
    person: Annotated[str, typer.Argument(help="Name, e-mail or employee id.")],
    config: Config = SETTINGS,
    as_of: AsOf = None,
    now: Now = None,
    period: Annotated[str | None, typer.Option(help="A period such as 2026-Q3; else the one --as-of lies in.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one person's scorecard."""
    from beyond_quota.figures import print_score

    print_score(config, person, day(as_of), now, period, as_json)


@command
def team(
    config: Config = SETTINGS,
    as_of: AsOf = None,
    now: Now = None,
    period: Annotated[str | None, typer.Option(help="A period such as 2026-Q3; else the one --as-of lies in.")] = None,
    manager: Annotated[str | None, typer.Option(help="Only the reports of this person.")] = None,
    as_json: AsJson = False,
) -> None:
    """Target and development progress of every person, alphabetically."""
    from beyond_quota.figures import print_team

    print_team(config, day(as_of), now, period, manager, as_json)


@command
def rollup(
    by: Annotated[str, typer.Option(help="company, office, team or manager.")] = "team",
    metric: Annotated[list[str] | None, typer.Option("--metric", help="Which figures; the usual ones without.")] = None,
    config: Config = SETTINGS,
    as_of: AsOf = None,
    now: Now = None,
    period: Annotated[str | None, typer.Option(help="A period such as 2026-Q3; else the one --as-of lies in.")] = None,
    as_json: AsJson = False,
) -> None:
    """Figures of teams, offices or the company: sums over the same people, by the line of each day."""
    from beyond_quota.rollups import print_rollup

    print_rollup(config, by, metric, day(as_of), now, period, as_json)


@command
def explain(
    person: Annotated[str, typer.Argument(help="Name, e-mail or employee id.")],
    metric: Annotated[str, typer.Argument(help="A metric's key, such as attainment: docs/metrics.md has all.")],
    config: Config = SETTINGS,
    as_of: AsOf = None,
    now: Now = None,
    period: Annotated[str | None, typer.Option(help="A period such as 2026-Q3; else the one --as-of lies in.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open one figure: formula, inputs, deals with their links, and the value worked out again."""
    from beyond_quota.explaining import print_explanation

    raise typer.Exit(print_explanation(config, person, metric, day(as_of), now, period, as_json))


profile = typer.Typer(help="Working-group profiles: check, compare, put in force.", no_args_is_help=True)
app.add_typer(profile, name="profile")
Folder = Annotated[Path | None, typer.Argument(help="The folder of profiles; else the one in the settings.")]


@profile.command("check")
def profile_check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Name every problem of every profile at once."""
    from beyond_quota.profiles import check_files

    raise typer.Exit(check_files(folder, as_json))


@profile.command("diff")
def profile_diff(folder: Folder = None, config: Config = SETTINGS, now: Now = None, as_json: AsJson = False) -> None:
    """What would change, for whom, from which day on."""
    from beyond_quota.profiles import print_diff

    raise typer.Exit(print_diff(config, folder, now, as_json))


@profile.command("apply")
def profile_apply(folder: Folder = None, config: Config = SETTINGS, now: Now = None, as_json: AsJson = False) -> None:
    """Put new versions in force from their day on; people see what changes before it does."""
    from beyond_quota.profiles import apply_files

    raise typer.Exit(apply_files(config, folder, now, as_json))


@profile.command("history")
def profile_history(
    key: Annotated[str | None, typer.Argument(help="Only this profile.")] = None,
    config: Config = SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Every version that was put in force, and what changed with it."""
    from beyond_quota.profiles import print_history

    raise typer.Exit(print_history(config, key, as_json))


@command
def periods(
    config: Config = SETTINGS,
    as_of: AsOf = None,
    now: Now = None,
    adopt: Annotated[bool, typer.Option("--adopt", help="Put the fiscal calendar of the settings in force.")] = False,
    as_json: AsJson = False,
) -> None:
    """The fiscal year of a day, its quarters and months, and by which calendar; --json has all that are stored."""
    from beyond_quota.periods import print_periods

    raise typer.Exit(print_periods(config, day(as_of), now, as_json, adopt))


@command
def totals(
    config: Config = SETTINGS,
    period: Annotated[str | None, typer.Option(help="Only this period, such as 2026-Q3.")] = None,
    status: Annotated[str, typer.Option(help="won, open or lost deals.")] = "won",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Per period and currency: each person, unmatched, rejected, uncredited, and the source's own total."""
    from beyond_quota.figures import print_totals

    raise typer.Exit(print_totals(config, period, status, now, as_json))


@command
def status(config: Config = SETTINGS, now: Now = None, as_json: AsJson = False) -> None:
    """How fresh each connection's figures are."""
    from beyond_quota.books import print_status

    raise typer.Exit(print_status(config, now, as_json))


@command
def runs(
    config: Config = SETTINGS,
    last: Annotated[int, typer.Option(help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The last sync runs and what became of their rows."""
    from beyond_quota.books import print_runs

    print_runs(config, last, as_json)


@command
def rejects(
    config: Config = SETTINGS,
    connection: Annotated[str | None, typer.Option(help="Only of this connection.")] = None,
    as_json: AsJson = False,
) -> None:
    """Source rows that were not taken over: which, why, and how to fix them."""
    from beyond_quota.books import print_rejects

    print_rejects(config, connection, as_json)


@command
def account(
    email: Annotated[str, typer.Argument(help="The e-mail to sign in with.")],
    role: Annotated[str, typer.Option(help="rep, manager, director, hr, ops or admin.")],
    person: Annotated[str | None, typer.Option(help="Whose page is theirs: name, e-mail or employee id.")] = None,
    config: Config = SETTINGS,
) -> None:
    """Make a sign-in; the password is asked for, or read from BEYOND_QUOTA_PASSWORD."""
    from beyond_quota.people import make_account

    make_account(config, email, role, person)


@command
def serve(
    config: Config = SETTINGS,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Which port; 0 takes a free one.")] = 8600,
    now: Now = None,
) -> None:
    """Serve the pages and the JSON API."""
    from beyond_quota.serve import serve_pages

    serve_pages(config, host, port, now)


@command
def worker(
    config: Config = SETTINGS,
    once: Annotated[bool, typer.Option(help="Run the slots that are due now, then stop.")] = False,
    now: Now = None,
) -> None:
    """Run the scheduled syncs; any number may be started, one works at a time."""
    from beyond_quota.worker import work

    raise typer.Exit(work(config, once, now))


@command
def demo(
    folder: Annotated[Path, typer.Option(help="Where the pretend company is kept between runs.")] = Path(
        "demo-company"
    ),
    port: Annotated[int, typer.Option(help="Which port; 0 takes a free one.")] = 8600,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after the scorecard.")] = False,
) -> None:
    """See it work on a pretend company: no account, no service, nothing but this machine."""
    from beyond_quota.demo import run_demo

    raise typer.Exit(run_demo(folder, port, not no_serve))


schedule = typer.Typer(help="When connections sync: list, set, off, next.", no_args_is_help=True)
app.add_typer(schedule, name="schedule")
Name = Annotated[str, typer.Argument(help="Which connection.")]


@schedule.command("list")
def schedule_list(config: Config = SETTINGS, now: Now = None, as_json: AsJson = False) -> None:
    """Each connection's schedule, its next run, and how many were missed."""
    from beyond_quota.schedules import print_schedules

    print_schedules(config, now, as_json)


@schedule.command("next")
def schedule_next(name: Name, config: Config = SETTINGS, now: Now = None, as_json: AsJson = False) -> None:
    """The next five runs in local time and UTC, clock changes included."""
    from beyond_quota.schedules import print_schedules

    print_schedules(config, now, as_json, [name], 5)


@schedule.command("set")
def schedule_set(
    name: Name,
    at: Annotated[str | None, typer.Option(help="Local time of day: 02:00.")] = None,
    days: Annotated[str | None, typer.Option(help="Weekdays by name: mon,tue,wed.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone: Europe/London.")] = None,
    catch_up_hours: Annotated[int | None, typer.Option(help="How late a missed run may still start.")] = None,
    config: Config = SETTINGS,
    now: Now = None,
) -> None:
    """Change when a connection syncs; what is not named stays, and the settings file no longer changes it."""
    from beyond_quota.schedules import set_schedule

    set_schedule(config, name, now, at, days, zone, catch_up_hours)


@schedule.command("off")
def schedule_off(name: Name, config: Config = SETTINGS, now: Now = None) -> None:
    """Stop the scheduled syncs of a connection; `schedule set` turns them on again."""
    from beyond_quota.schedules import set_schedule

    set_schedule(config, name, now, enabled=False)


if __name__ == "__main__":
    main()
