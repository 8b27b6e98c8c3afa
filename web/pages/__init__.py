"""The list of pages. A new page is a file here, its template, its test, and one name in PAGES."""

from web.pages import career, checkins, explain, objectives, obstacles, rep, runs, schedules, signin, team, watch

PAGES = (
    signin.router,
    rep.router,
    objectives.router,
    obstacles.router,
    checkins.router,
    career.router,
    explain.router,
    team.router,
    runs.router,
    schedules.router,
    watch.router,
)
