"""The company's spreadsheets: people, objectives, check-ins, feedback and the rest, as an office would keep them.

Two rows are broken on purpose, so that rejects can be seen: an impossible date, and an objective of nobody.
"""

import csv
import hashlib
import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.cast import CAST, Member, member

Row = Sequence[Any]
PARENTS = {"North": "Sales", "South": "Sales", "Sales": "Company", "Operations": "Company"}

# key, title, kind, why it matters to me, serves, days since start, days to due, key results (title, from, to, now)
OBJECTIVES: tuple[tuple[Any, ...], ...] = (
    ("ana.sample", "Run a negotiation without discounting first", "personal", "I want to lead the large accounts next year, and that starts at the table.", "Key account manager: negotiation", 70, 60, (("Deals closed at list price", 2, 8, 6), ("Practice talks with Mo", 0, 6, 4))),
    ("ana.sample", "Know two buyers in shipping by name", "personal", "I sell better to people I understand.", "Key account manager: relationships", 40, 90, (("Visits to ports", 0, 3, 1),)),
    ("ben.example", "Qualify earlier and say no sooner", "personal", "I am tired of chasing deals that were never there.", "Account executive: qualification", 55, 40, (("Days in first stage", 40, 20, 31),)),
    ("cleo.placeholder", "Speak in front of fifty people", "personal", "I want to give the spring workshop myself.", "Team lead: presence", 30, 120, (("Talks given", 0, 4, 1),)),
    ("dev.specimen", "Demo the whole product without notes", "personal", "It would let me stop borrowing a colleague for every call.", "Account executive: product", 80, 20, (("Modules shown alone", 0, 9, 7),)),
    ("finn.dummy", "Learn enough Spanish for a first meeting", "personal", "The south coast is where I would like to work.", "Account executive: languages", 100, 150, (("Lessons", 0, 30, 12),)),
    ("gus.template", "Write proposals that are read to the end", "personal", "I would rather write three good ones than ten.", "Account executive: writing", 25, 70, (("Pages per proposal", 18, 6, None),)),
    ("hana.mockup", "Coach one colleague through a first quarter", "personal", "I came back to lead people, and this is the first step.", "Team lead: coaching", 60, 30, (("Joint calls", 0, 10, 9),)),
    ("ivo.draft", "Get to know the service team", "personal", "Half of my customers' questions are theirs to answer.", "Account executive: teamwork", 20, 80, (("Ride-alongs", 0, 5, 2),)),
    ("pia.paper", "Take over the supplier contracts", "personal", "I would like work that is mine from beginning to end.", "Office manager: contracts", 45, 75, (("Contracts handed over", 0, 12, 5),)),
    ("oli.ops", "Explain a number without a spreadsheet", "personal", "People ask me why; I want them to understand the answer.", "Operations lead: communication", 30, 60, (("Sessions held", 0, 4, 2),)),
    ("quin.council", "Answer residents in plain words", "personal", "I have seen how a clear letter calms people.", "Senior officer: writing", 90, 90, (("Letters rewritten", 0, 40, 22), ("Call-backs per week", 25, 10, 16))),
    ("rae.lesson", "Let pupils lead one lesson a week", "personal", "I learn most when I talk least.", "Lead teacher: facilitation", 60, 120, (("Lessons led by pupils", 0, 20, 9),)),
    ("ana.sample", "Bring the north forecast within ten percent", "organisational", "A forecast that holds gives us all quieter Mondays.", "", 60, 35, (("Forecast error in percent", 24, 10, 13),)),
)  # fmt: skip
FEEDBACK: tuple[tuple[Any, ...], ...] = (
    ("ana.sample", True, 9, "You let the buyer finish before answering.", "He told us what he really needed.", "Do the same when he talks about price.", ""),
    ("ana.sample", True, 8, "The hand-over notes after the visit came the same day.", "We could start at once.", "Add who decides on their side.", ""),
    ("ana.sample", True, 7, "In the review you answered for me.", "I stopped offering numbers.", "Ask me first; I will be ready.", "Cleo Placeholder"),
    ("ana.sample", False, 6, "You stayed calm when the delivery failed.", "The customer stayed too.", "Tell the newer ones how you prepare for that.", ""),
    ("ben.example", True, 7, "You said no to the trial early.", "It saved the team two weeks.", "Say it in the first call already.", ""),
    ("ben.example", True, 8, "Your notes are hard to find.", "I asked the customer twice.", "Keep them with the deal.", ""),
    ("hana.mockup", True, 9, "You asked what I wanted to try.", "I tried it, and it worked.", "Ask that of everybody.", ""),
    ("hana.mockup", True, 8, "You came along to my first visit.", "I was less nervous.", "Let me open the talk next time.", ""),
    ("hana.mockup", False, 7, "You shared the old contract.", "I did not have to guess.", "Put it where all can see it.", ""),
    ("quin.council", True, 8, "You read the letter aloud before sending it.", "It was half as long.", "Do it for the forms too.", ""),
    ("rae.lesson", True, 8, "You waited after the question.", "Three quiet pupils spoke.", "Wait a little longer still.", ""),
)  # fmt: skip
OBSTACLES = (
    ("ana.sample", "pricing", "Quotes above 20,000 wait four days for approval", "Finance", 48, None),
    ("ben.example", "data", "Contacts of the old region are missing", "Operations", 20, None),
    ("finn.dummy", "tools", "No test account to show customers", "IT", 33, None),
    ("dev.specimen", "time", "Two trainings fell on the same day", "Mo Manager", 60, 41),
    ("pia.paper", "access", "No right to see supplier contracts", "IT", 15, None),
    ("quin.council", "forms", "Residents must print the old form", "Web team", 70, None),
)
RELATIONSHIPS = (
    ("ana.sample", "The purchasing lead at Pretend Harbour", "Decides on all three sites", 9),
    ("hana.mockup", "The head of the service team", "Knows every renewal before we do", 14),
    ("quin.council", "The librarian at the town desk", "Hears questions before they reach us", 20),
    ("rae.lesson", "The maths department", "They let pupils lead already", 12),
)
LEARNING = (
    ("ana.sample", "Negotiation without discounts, two days", 20, None),
    ("ben.example", "Qualifying questions, half a day", -10, 12),
    ("dev.specimen", "Product basics", -30, 33),
    ("dev.specimen", "Demo practice with a colleague", 10, None),
    ("pia.paper", "Contract law for beginners", 45, None),
    ("quin.council", "Plain language, one day", -20, 22),
    ("rae.lesson", "Observation with a colleague", 15, None),
)


def write_sheets(folder: Path, today: date, seed: int) -> None:
    """Write every spreadsheet of the company into a folder, as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"{seed}-sheets")
    _people(folder, today)
    _objectives(folder, today)
    _check_ins(folder, today, rng)
    _feedback(folder, today)
    _growth(folder, today)


def _write(folder: Path, name: str, header: str, rows: Iterable[Row]) -> None:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(["" if v is None else v for v in row] for row in rows)


def _people(folder: Path, today: date) -> None:
    rows: list[Row] = []
    for person in CAST:
        boss = member(person.manager).employee_id if person.manager else None
        common = (
            person.employee_id,
            person.name,
            person.email,
            person.title,
            person.team,
            PARENTS.get(person.team, "Company"),
            boss,
            person.group,
        )
        rows.append((*common, person.hired(today), person.left(today)))
        if person.rehired(today):
            rows.append((*common, person.rehired(today), None))
    _write(
        folder,
        "people.csv",
        "employee_id,name,email,title,team,team_parent,manager_employee_id,working_group,hired,left",
        rows,
    )
    gone = [
        (p.employee_id, p.left(today), "voluntary", "yes" if p.key == "eve.pretend" else "no")
        for p in CAST
        if p.left(today)
    ]
    _write(folder, "leavers.csv", "employee_id,left_on,reason,regretted", gone)
    rates = [("EUR", "USD", today - timedelta(days=d), r) for d, r in ((1000, "1.08"), (300, "1.10"), (50, "1.12"))]
    _write(folder, "rates.csv", "base,currency,from,units_per_base", rates)


def _objectives(folder: Path, today: date) -> None:
    rows: list[Row] = []
    for number, (key, title, kind, why, serves, ago, ahead, results) in enumerate(OBJECTIVES, 1):
        for name, low, high, now in results:
            measured = today - timedelta(days=6) if now is not None else None
            rows.append((f"O{number}", member(key).employee_id, title, kind, why, serves, today - timedelta(days=ago),
                         today + timedelta(days=ahead), "active", "no" if key == "ivo.draft" else "yes", name, low, high, now, measured))  # fmt: skip
    rows.append(
        (
            "O99",
            "E999",
            "Somebody who does not work here",
            "personal",
            "A broken row on purpose",
            "",
            today,
            today,
            "active",
            "yes",
            "x",
            0,
            1,
            0,
            today,
        )
    )
    _write(
        folder,
        "objectives.csv",
        "objective_id,employee_id,title,kind,why_it_matters,serves,starts,due,status,shared,key_result,baseline,target,current,measured_on",
        rows,
    )


def _check_ins(folder: Path, today: date, rng: random.Random) -> None:
    rows: list[Row] = []
    here = [p for p in CAST if (p.left(today) is None or p.rehired(today)) and p.key != "dana.director"]
    for person in here:
        every = {"sales": 14, "office": 30, "municipal": 42, "education": 56}[person.group]
        start = min(person.rehired_days_ago or person.hired_days_ago, 200)
        for back in range(start - every, 0, -every):
            if rng.random() < (0.9 if person.key == "ana.sample" else 0.7):
                rows.append(_check_in(len(rows), person, today - timedelta(days=back), rng, held=True))
        if person.key != "gus.template":
            rows.append(_check_in(len(rows), person, today + timedelta(days=rng.randrange(2, 12)), rng, held=False))
    rows.append(
        (
            f"C{len(rows) + 1}",
            member("finn.dummy").employee_id,
            "",
            "rep",
            f"{today.year}-02-31",
            "",
            "planned",
            "An impossible date, on purpose",
        )
    )
    _write(
        folder,
        "check_ins.csv",
        "check_in_id,employee_id,with_employee_id,asked_by,planned_on,held_on,status,topic",
        rows,
    )


def _check_in(number: int, person: Member, day: date, rng: random.Random, held: bool) -> Row:
    topic = rng.choice(
        (
            "What is in the way",
            "The next skill to try",
            "A relationship to build",
            "How the last talk helped",
            "Two deals, briefly",
        )
    )
    asked = "rep" if rng.random() < (0.7 if person.key in ("ana.sample", "hana.mockup") else 0.4) else "manager"
    boss = member(person.manager).employee_id if person.manager else None
    return (
        f"C{number + 1}",
        person.employee_id,
        boss,
        asked,
        day,
        day if held else None,
        "held" if held else "planned",
        topic,
    )


def _feedback(folder: Path, today: date) -> None:
    rows: list[Row] = []
    for key, asked, weeks, *words in FEEDBACK:
        week = today - timedelta(weeks=weeks)
        name = hashlib.sha256(f"{key}{words[0]}".encode()).hexdigest()[:10]
        rows.append(
            (name, member(key).employee_id, "yes" if asked else "no", week - timedelta(days=week.weekday()), *words)
        )
    header = "feedback_id,about_employee_id,asked,given_week,what_happened,effect,suggestion,named_giver"
    _write(folder, "feedback.csv", header, sorted(rows, key=lambda r: str(r[0])))
    month = (today - timedelta(weeks=10)).strftime("%Y-%m-01")
    asks = (
        ("ana.sample", "How I handle price talks", 4, 3),
        ("ben.example", "How early I qualify", 3, 2),
        ("hana.mockup", "How I coach", 3, 2),
        ("quin.council", "My letters", 2, 1),
    )
    requests = [
        (f"F{n}", member(k).employee_id, about, of, month, answered)
        for n, (k, about, of, answered) in enumerate(asks, 1)
    ]
    _write(folder, "feedback_requests.csv", "request_id,employee_id,about,asked_of,asked_on,answered", requests)


def _growth(folder: Path, today: date) -> None:
    def back(days: int | None) -> date | None:
        return None if days is None else today - timedelta(days=days)

    obstacles = [
        (f"B{n}", member(k).employee_id, kind, what, who, back(ago), back(done))
        for n, (k, kind, what, who, ago, done) in enumerate(OBSTACLES, 1)
    ]
    _write(folder, "obstacles.csv", "obstacle_id,employee_id,kind,what,who_can_remove,opened,resolved", obstacles)
    relations = [(member(k).employee_id, who, why, today + timedelta(days=days)) for k, who, why, days in RELATIONSHIPS]
    _write(folder, "relationships.csv", "employee_id,who,why,next_contact", relations)
    learning = [
        (member(k).employee_id, what, today + timedelta(days=due), back(done), "done" if done else "open")
        for k, what, due, done in LEARNING
    ]
    _write(folder, "learning.csv", "employee_id,title,due,done_on,status", learning)
