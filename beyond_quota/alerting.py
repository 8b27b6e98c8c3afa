"""Looks after the syncs and tells. The worker and the web process both do, each minute, so one sees the other die."""

from beyond_quota.wiring import Installation
from config.settings import reveal
from models.errors import UserError
from models.slots import stored_schedules
from models.watch import WORKER, last_seen, silent
from sync.alerts import Sender, Watched, notice, send_waiting, to_log, to_mail, to_webhook
from sync.freshness import sources
from sync.lease import Locked, held
from sync.run import close_stale

LATE, GOOD = "late", "fresh"


def look_after(here: Installation) -> int:
    """Notice what changed its state and tell each channel; answers how many messages went out."""
    senders = channels(here)
    with here.engine.begin() as connection:
        for name in here.settings.connections:
            close_stale(connection, name, here.clock())
        found = sources(connection, here.clock(), here.settings.tz)
        known = [s for s in found if s.connection in here.settings.connections]
        watched = [Watched(f"source {s.connection}", s.state, s.sentence) for s in known]
        if any(s.enabled for s in stored_schedules(connection).values()):
            last = last_seen(connection)
            dead = silent(last, here.clock())
            since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "so far"
            words = f"no worker has been at work {since}; start: beyond-quota worker" if dead else "a worker is at work"
            watched.append(Watched(WORKER, LATE if dead else GOOD, words))
        notice(connection, watched, list(senders), here.clock())
    try:
        with held(here.engine, "alerts", here.clock):
            return send_waiting(here.engine, senders)
    except Locked:  # the other process is telling
        return 0


def channels(here: Installation) -> dict[str, Sender]:
    """The channels of the settings; a secret that is missing takes out its channel, never the log."""
    found: dict[str, Sender] = {"log": to_log}
    alerts = here.settings.alerts
    try:
        address = reveal("alerts", {"webhook": alerts.webhook})["webhook"]
        if address.startswith(("https://", "http://")):
            found["webhook"] = to_webhook(address)
        if alerts.mail is not None:
            mail = reveal("alerts.mail", alerts.mail.model_dump())
            mail["to"] = list(mail["to"])
            found["mail"] = to_mail(**mail)
    except UserError as error:
        to_log("Beyond Quota: alerts", str(error))
    return found
