"""The form of an objective: what it holds, where it starts from, and what is wrong with what was typed."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from models.profile import Template
from web.forms import Typed

KINDS = {
    "personal": "Personal development",
    "organisational": "For the organisation",
    "relationship": "A person to know better",
}
LEARNING = ("open", "done", "waived")
BLANK = 3
"""Empty lines under a list of a form, for what is new; without script there is no button that adds one."""


def iso(day: date | None) -> str:
    """A day as a form field holds it."""
    return "" if day is None else day.isoformat()


@dataclass
class Line:
    """A step, a key result or a learning link as typed; empty in a new line, and removed when its title is."""

    id: str = ""
    title: str = ""
    baseline: str = ""
    target: str = ""
    current: str = ""
    done: bool = False
    link: str = ""
    due: str = ""
    status: str = "open"


@dataclass
class Draft:
    """What the form of an objective holds, as text."""

    title: str = ""
    kind: str = "personal"
    why: str = ""
    serves: str = ""
    who: str = ""
    next_contact: str = ""
    due: str = ""
    weight: str = "1"
    percent: str = ""
    steps: list[Line] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    learning: list[Line] = field(default_factory=list)

    def with_blanks(self) -> "Draft":
        """With empty lines at the end of each list."""
        self.steps += [Line() for _ in range(BLANK)]
        self.results += [Line() for _ in range(BLANK - 1)]
        self.learning += [Line() for _ in range(BLANK - 1)]
        return self


def from_template(template: Template, today: date) -> Draft:
    """A draft to start from; why it matters is left to the person."""
    return Draft(
        title=template.title,
        kind=template.kind,
        serves=template.serves,
        due=iso(today + timedelta(days=template.days)),
        steps=[Line(title=t) for t in template.steps],
        results=[Line(title=r.title, baseline=r.baseline, target=r.target) for r in template.key_results],
        learning=[Line(title=t) for t in template.learning],
    )


def read(form: Typed) -> Draft:
    """A form as it was typed; what is wrong is in `form.wrong`."""
    draft = Draft(
        why=form.text("why", "Write one line on why it matters to you. It is shown first, and it is yours", 500),
        title=form.text("title", "Give it a title, as you would say it to a colleague", 200),
        kind=form.choice("kind", KINDS, "personal"),
        serves=form.text("serves", most=200),
        who=form.text("who", most=200),
        next_contact=form.text("next_contact", most=40),
        due=form.text("due", most=40),
        weight=form.text("weight", most=4) or "1",
        percent=form.text("percent", most=4),
    )
    form.day("next_contact")
    form.day("due")
    form.whole("weight", 1, 4, 1)
    form.whole("percent", 0, 100)
    if draft.kind == "relationship" and not draft.who:
        form.wrong["who"] = "Name the person, or the role, that you would like to know better"
    if draft.kind != "relationship":
        draft.who = draft.next_contact = ""
    draft.steps = _steps(form)
    draft.results = _results(form)
    draft.learning = _learning(form)
    return draft


def _steps(form: Typed) -> list[Line]:
    titles, ids, done = form.all("step_title"), form.all("step_id"), set(form.all("step_done"))
    lines = [
        Line(i, form.check("steps", t, most=300), done=(i or f"new{n}") in done)
        for n, (i, t) in enumerate(zip(ids, titles, strict=False))
    ]
    return [line for line in lines if line.title or line.id]


def _results(form: Typed) -> list[Line]:
    names = ("result_id", "result_title", "result_baseline", "result_target", "result_current")
    found = []
    for i, title, low, high, now in zip(*(form.all(n) for n in names), strict=False):
        line = Line(i, form.check("results", title, most=300), low.strip(), high.strip(), now.strip())
        if not (line.title or line.id or low or high):
            continue
        found.append(line)
        if not line.title:
            if not line.id:
                form.wrong["results"] = "Give the key result a title, or leave its whole line empty"
            continue
        numbers = [form.number("results", v) for v in (low, high, now)]
        if numbers[0] is None or numbers[1] is None:
            form.wrong.setdefault("results", f"{line.title}: say where it starts and where it should get to")
        elif Decimal(numbers[0]) == Decimal(numbers[1]):
            form.wrong["results"] = f"{line.title}: it starts where it should get to, so nothing could be seen"
    return found


def _learning(form: Typed) -> list[Line]:
    names = ("learn_id", "learn_title", "learn_link", "learn_due", "learn_status")
    found = []
    for i, title, link, due, status in zip(*(form.all(n) for n in names), strict=False):
        if not (title.strip() or i or link.strip()):
            continue
        form.as_day("learning", due)
        if link.strip() and not link.strip().lower().startswith(("https://", "http://")):
            form.wrong["learning"] = f"{link.strip()[:60]} is no link; it begins with https://"
        if not title.strip() and not i:
            form.wrong["learning"] = "Say what it is that you will learn from"
        known = status if status in LEARNING else "open"
        found.append(Line(i, form.check("learning", title, most=300), link=link.strip(), due=due.strip(), status=known))
    return found
