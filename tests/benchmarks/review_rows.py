"""The rows of the review benchmark: a project full of questions, its reviewers, and what they did."""

import os
import threading
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.models import Count, Max
from django.utils import timezone

from curation.projects.models import Project, User
from curation.projects.services import add_member, create_project
from curation.reviews.models import Decision, Review, Seat
from curation.reviews.queue.items import set_overlap
from tests.benchmarks.many import clone, real_templates, templates

SLUG = "load"
PASSWORD = "a long enough word"
TEMPLATES = 500


def data_file() -> Path | None:
    """GSM8K's model solutions beside the checkout, or where CHAINWRIGHT_DEV_DATA says."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    file = Path(os.environ.get("CHAINWRIGHT_DEV_DATA", beside)) / "gsm8k_teachers_dev.jsonl"
    return file if file.is_file() else None


def build(questions: int, reviewers: int, overlap: int) -> str:
    """Make the project and its people, or bring what is there to the wanted numbers; returns the kind
    of questions in words."""
    project = Project.objects.filter(slug=SLUG).first()
    if project is None:
        owner = User.objects.create_user("owner", password=PASSWORD)
        project = create_project(owner, "Load", SLUG)
        file = data_file()
        if file:
            project.description = "GSM8K with the solutions of its four models"
            made = len(real_templates(project, file, TEMPLATES))
        else:
            project.description = "made-up questions (the development data is not here)"
            made = len(templates(project, TEMPLATES))
        project.save(update_fields=["description"])
        clone(project, max(1, round(questions / made) - 1))
    for number in range(reviewers):
        name = reviewer(number)
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password=PASSWORD)
            add_member(project, name, "reviewer")
    if project.overlap != overlap:
        set_overlap(project, overlap)
    give_all_back()
    connection.close()
    return project.description


def reviewer(number: int) -> str:
    return f"reviewer{number:03d}"


def give_all_back() -> None:
    """What people of an earlier run held is free, as when its leases had run out."""
    held = Seat.objects.filter(project__slug=SLUG, done_at__isnull=True, holder__isnull=False)
    held.update(holder=None, held_until=None)


class Watch:
    """Looks at the rows twice a second while people work: does a question have more holders, or more
    reviews, than its overlap?"""

    def __init__(self, overlap: int) -> None:
        self.overlap, self.looks, self.beyond, self.most = overlap, 0, 0, 0
        self.project = Project.objects.get(slug=SLUG)
        self.first = Review.objects.aggregate(last=Max("pk"))["last"] or 0
        connection.close()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(connection):
            while not self._stop.wait(0.5):
                # With the condition of the index over what is held: looking through all seats of a
                # million questions twice a second takes a quarter of a core from the server.
                held = Seat.objects.filter(
                    project=self.project,
                    done_at__isnull=True,
                    holder__isnull=False,
                    held_until__gte=timezone.now(),
                )
                per_item = list(
                    held.values("item")
                    .annotate(n=Count("holder", distinct=True))
                    .values_list("n", flat=True)
                )
                self.looks += 1
                self.most = max(self.most, len(per_item))
                self.beyond += sum(n > self.overlap for n in per_item)

    def counted(self) -> dict[str, int]:
        """What the run left in the rows: reviews, the questions they are of, decisions, and whatever
        is there too often."""
        mine = Review.objects.filter(project__slug=SLUG, pk__gt=self.first)
        # Of those rationales every review there is: an earlier run may have left one with some of them.
        often = list(
            Review.objects.filter(rationale__in=mine.values("rationale"))
            .order_by()
            .values("rationale")
            .annotate(n=Count("reviewer", distinct=True), rows=Count("pk"))
            .values_list("n", "rows", "rationale__decision")
        )
        told = {
            "reviews": mine.count(),
            "reviews of a question": mine.values("rationale__question", "reviewer")
            .distinct()
            .count(),
            "decisions": Decision.objects.filter(review__in=mine).count(),
            "by more people than the overlap": sum(n > self.overlap for n, _, _ in often),
            "twice by one person": sum(rows > n for n, rows, _ in often),
            # These reviewers agree: each does what the rationale's scores say.
            "without the decision that is due": sum(
                (n >= self.overlap) != (decision is not None) for n, _, decision in often
            ),
        }
        connection.close()
        return told
