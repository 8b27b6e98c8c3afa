"""Every route for every role: who gets a page, who is told why not, and who learns nothing."""

import re

import pytest
from fastapi import FastAPI
from starlette.routing import Mount, Route

from tests.web.conftest import SignIn

ROLES = ("rep", "manager", "director", "ops", "hr", "admin", None)
SIGN_IN = 303
# 422: this company's pages were not made here, so they do not open; tests/web/test_explain.py opens real ones.
# route: what rep Ana, manager Mo, director Dana, ops, hr, admin and nobody get; the person asked for is Ana.
EXPECTED = {
    "/": (303, 303, 303, 303, 200, 303, SIGN_IN),
    "/sign-in": (200, 200, 200, 200, 200, 200, 200),
    "/sign-out": (405, 405, 405, 405, 405, 405, 405),
    "/people/{person_id}": (200, 200, 200, 404, 404, 404, SIGN_IN),
    "/people/{person_id}.json": (200, 200, 200, 404, 404, 404, 401),
    "/people/{person_id}/deals.csv": (200, 200, 200, 404, 404, 404, 401),
    "/people/{person_id}/explain/{metric}": (422, 422, 422, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/explain/{metric}.json": (422, 422, 422, 404, 404, 404, 401),
    "/people/{person_id}/objectives": (200, 200, 200, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/objectives.json": (200, 200, 200, 404, 404, 404, 401),
    "/people/{person_id}/objectives/new": (200, 404, 404, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/objectives/{objective_id}": (200, 200, 200, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/objectives/{objective_id}/evidence": (405,) * 7,
    "/people/{person_id}/objectives/{objective_id}/share": (405,) * 7,
    "/people/{person_id}/objectives/{objective_id}/status": (405,) * 7,
    "/people/{person_id}/objectives/{objective_id}/scale": (405,) * 7,
    "/people/{person_id}/obstacles": (200, 200, 200, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/obstacles.json": (200, 200, 200, 404, 404, 404, 401),
    "/people/{person_id}/obstacles/{obstacle_id}": (405,) * 7,
    "/people/{person_id}/check-ins": (200, 200, 200, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/check-ins.json": (200, 200, 200, 404, 404, 404, 401),
    "/people/{person_id}/check-ins/{check_in_id}": (200, 200, 404, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/check-ins/{check_in_id}/calendar.ics": (200, 200, 404, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/career": (200, 404, 404, 404, 404, 404, SIGN_IN),
    "/people/{person_id}/career/share": (405,) * 7,
    "/people/{person_id}/career/ready": (405,) * 7,
    "/people/{person_id}/dossier": (404, 404, 404, 404, 404, 404, SIGN_IN),  # nothing is put together yet
    "/next-roles": (403, 200, 200, 403, 403, 403, SIGN_IN),
    "/next-roles.json": (403, 200, 200, 403, 403, 403, 401),
    "/obstacles": (403, 200, 200, 403, 403, 403, SIGN_IN),
    "/obstacles.json": (403, 200, 200, 403, 403, 403, 401),
    "/team": (403, 200, 200, 403, 403, 403, SIGN_IN),
    "/team.json": (403, 200, 200, 403, 403, 403, 401),
    "/runs": (403, 403, 403, 200, 403, 200, SIGN_IN),
    "/runs/{run_id}": (403, 403, 403, 200, 403, 200, SIGN_IN),
    "/schedules": (403, 403, 403, 200, 403, 200, SIGN_IN),
    "/schedules/{name}": (405, 405, 405, 405, 405, 405, 405),
    "/rejects": (403, 403, 403, 200, 403, 200, SIGN_IN),
    "/health": (200, 200, 200, 200, 200, 200, 200),
    # The company of these tests has a schedule and no worker, which is what /ready has to say.
    "/ready": (503, 503, 503, 503, 503, 503, 503),
    "/metrics": (200, 200, 200, 200, 200, 200, 200),
}


NAMED = {
    "person_id": "ana", "run_id": "runone", "metric": "attainment", "objective_id": "objone", "check_in_id": "talkone",
    "obstacle_id": "wallone",
}  # fmt: skip


def filled(path: str) -> str:
    """An address of a route, about things that are there."""
    return re.sub(r"\{(\w+)\}", lambda part: NAMED.get(part[1], part[0]), path)


def routes(app: FastAPI) -> list[Route]:
    """Everything that the application answers to, apart from its files."""
    found: list[Route] = []
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        if isinstance(route, Route):
            found.append(route)
        elif not isinstance(route, Mount):
            waiting += list(getattr(getattr(route, "original_router", None), "routes", []))
    return found


def test_every_route_has_a_row_here(app: FastAPI) -> None:
    assert {route.path for route in routes(app)} == set(EXPECTED)


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_changed_by_a_form_from_elsewhere(app: FastAPI, browser: SignIn, role: str | None) -> None:
    client = browser(role)
    for route in routes(app):
        if "POST" in (route.methods or ()) and route.path != "/sign-in":
            address = filled(route.path)
            answer = client.post(address, data={"csrf": "guessed"})
            assert answer.status_code == (403 if role else SIGN_IN), route.path


@pytest.mark.parametrize("role", ROLES)
def test_every_route_for_every_role(browser: SignIn, role: str | None) -> None:
    client = browser(role)
    column = ROLES.index(role)
    found = {}
    for path in EXPECTED:
        found[path] = client.get(filled(path)).status_code
    assert found == {path: row[column] for path, row in EXPECTED.items()}


def test_a_rep_learns_nothing_about_a_colleague(browser: SignIn) -> None:
    client = browser("rep")
    for form in ("{}", "{}.json", "{}/deals.csv"):
        theirs, nobody = (client.get("/people/" + form.format(who)) for who in ("ben", "nobody"))
        assert (theirs.status_code, theirs.text) == (404, nobody.text)
        assert nobody.status_code == 404


def test_a_manager_sees_only_those_below(browser: SignIn) -> None:
    client = browser("other-manager")
    assert client.get("/people/finn").status_code == 200
    assert client.get("/people/ana").status_code == 404
    assert "Ana Sample" not in client.get("/team").text
    assert [m["name"] for m in client.get("/team.json").json()["members"]] == ["Finn Dummy"]


def test_a_director_sees_reports_of_reports_but_nobody_else(browser: SignIn) -> None:
    client = browser("director")
    assert client.get("/people/finn").status_code == 200
    assert client.get("/people/oli").status_code == 404


def test_everybody_may_open_their_own_page(browser: SignIn) -> None:
    answer = browser("ops").get("/people/oli")
    assert answer.status_code == 200
    assert "Nothing has been synced yet" in answer.text


def test_sign_in_leads_on_but_never_away(browser: SignIn) -> None:
    client = browser()
    assert client.get("/people/ana").headers["location"] == "/sign-in?next=/people/ana"
    login = {"email": "rep@example.com", "password": "a long enough password"}
    for onward, place in (("/team", "/team"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/")):
        assert client.post("/sign-in", data={**login, "next": onward}).headers["location"] == place
