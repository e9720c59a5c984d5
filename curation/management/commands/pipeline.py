"""The whole way, unattended: write, score, approve by rule, freeze, train, measure, report."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from curation.celery_app import CPU, FILES, GPU
from curation.commands import StageCommand, numbers, progress, project_by_slug, wait_for
from curation.datasets.models import DatasetVersion
from curation.datasets.services import candidates, order_freeze
from curation.errors import Conflict
from curation.evaluations.models import Evaluation
from curation.evaluations.services import order_evaluation
from curation.projects.models import Project
from curation.rationales.generation.orders import order_run
from curation.rationales.generation.parts import queues_of
from curation.rationales.scoring.scores import order_scoring
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Outcome
from curation.training.models import TrainingJob
from curation.training.presets import PRESETS
from curation.training.services import order_training

FIGURES = ("accuracy", "validity", "length_ratio", "similarity")


class Command(StageCommand):
    help = (
        "Take a project the whole way, unattended: rationales, scores, approval by the rule, a frozen "
        "dataset, a trained student, its evaluation. The last line printed is one JSON object."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--temperatures", type=numbers, default=[0.3, 0.5, 0.7])
        parser.add_argument("--samples", type=int, default=1, help="at each temperature")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--preset", default="", choices=["", *PRESETS], help="of the training")
        parser.add_argument(
            "--compare-curation",
            action="store_true",
            help="also train on approved and on unfiltered rationales of each teacher, as many of each",
        )
        parser.add_argument(
            "--examples", type=int, default=600, help="at most so many in each of those trainings"
        )

    def work(self, **options: Any) -> None:
        project = project_by_slug(options["project"])
        self.began, self.seconds = time.monotonic(), {}
        self.write(project, options)
        self.score(project)
        approved = apply_rule(project)
        self.told("approve", f"{approved:,} more rationales approved by the rule")
        dataset = self.freeze(project)
        job = self.train(project, dataset, options["preset"])
        evaluation = self.measure(project, job)
        compared = None
        if options["compare_curation"]:
            compared = self.compare(project, options["preset"], options["examples"])
        for sentence in [*evaluation.verdict, *(compared.verdict if compared else [])]:
            self.say(sentence)
        self.stdout.write(json.dumps(self.report(project, dataset, job, evaluation, compared)))

    def told(self, stage: str, text: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = round(now - self.began - sum(self.seconds.values()), 1)
        self.say(f"{stage:<10} {self.seconds[stage]:>7.1f} s  {text}")

    def write(self, project: Project, options: dict[str, Any]) -> None:
        teachers = list(project.teachers.filter(writes=True))
        if not teachers:
            self.told(
                "write", "no teacher writes here: the rationales that were imported are taken"
            )
            return
        try:
            run = order_run(
                project,
                None,
                teachers=teachers,
                temperatures=options["temperatures"],
                samples=options["samples"],
                seed=options["seed"],
                only_missing=True,
            )
        except Conflict:
            run = None  # all of them are there, or on their way in an earlier run
        for active in project.runs.filter(status__in=["waiting", "running"]).order_by("id"):
            wait_for(active, queues_of(active), self.say)
        if run is None:
            self.told("write", "every rationale of this order was there")
        else:
            self.told("write", f"{progress(run)} written")

    def score(self, project: Project) -> None:
        while run := order_scoring(project, None):
            wait_for(run, CPU, self.say)
        self.told(
            "score", f"{project.rationales.filter(score__isnull=False).count():,} have scores"
        )

    def freeze(self, project: Project, **how: Any) -> DatasetVersion:
        version = order_freeze(project, None, **how)
        wait_for(version, FILES, self.say)
        self.told(
            f"freeze {version.number}", f"{version.example_count:,} examples, {version.sha256}"
        )
        return version

    def train(self, project: Project, dataset: DatasetVersion, preset: str) -> TrainingJob:
        job = order_training(project, None, dataset, preset=preset, evaluate_after=False)
        wait_for(job, GPU, self.say)
        self.told(f"train {job.pk}", f"{job.step:,} steps on {dataset.example_count:,} examples")
        return job

    def measure(
        self, project: Project, job: TrainingJob | None, compared: list[TrainingJob] | None = None
    ) -> Evaluation:
        evaluation = order_evaluation(project, None, job, compared=compared or [])
        wait_for(evaluation, GPU, self.say)
        self.told("measure", f"{evaluation.total:,} answers")
        return evaluation

    def compare(self, project: Project, preset: str, limit: int) -> Evaluation | None:
        """The same student on approved and on unfiltered rationales of each teacher, as many of each."""
        jobs = []
        for teacher in project.teachers.filter(writes=True):
            recipe = {"selection": "approved", "teachers": [teacher.name]}
            limit_here = min(
                limit, candidates(project, recipe).values("text_hash").distinct().count()
            )
            if not limit_here:
                self.say(f"{teacher.name} has no approved rationale: nothing to compare.")
                continue
            for selection in ("approved", "unfiltered"):
                dataset = self.freeze(
                    project, selection=selection, teachers=[teacher.name], limit=limit_here
                )
                jobs.append(self.train(project, dataset, preset))
        return self.measure(project, None, jobs) if jobs else None

    def report(
        self,
        project: Project,
        dataset: DatasetVersion,
        job: TrainingJob,
        evaluation: Evaluation,
        compared: Evaluation | None,
    ) -> dict[str, Any]:
        decisions = project.decisions.filter(outcome=Outcome.APPROVED)
        models = {m["name"]: m for m in evaluation.report["models"]}
        return {
            "project": project.slug,
            "counts": {
                "questions": project.questions.count(),
                "rationales": project.rationales.count(),
                "scored": project.rationales.filter(score__isnull=False).count(),
                "approved": decisions.count(),
                "approved_by_people": decisions.filter(review__isnull=False).count(),
                "approved_by_rule": decisions.filter(rule__isnull=False).count(),
                "examples": dataset.example_count,
                "training_steps": job.step,
                "answers_measured": evaluation.total,
            },
            "dataset": f"{project.slug}/{dataset.number}",
            "dataset_sha256": dataset.sha256,
            "training": job.pk,
            "evaluation": evaluation.pk,
            "models": {name: figures(model) for name, model in models.items()},
            # The base student without training, its answers begun as the rationales do.
            "controls": evaluation.report.get("controls", []),
            "better_teacher": evaluation.report["better_teacher"],
            "verdict": evaluation.verdict,
            "curation": compared.report["curation"] if compared else None,
            "seconds": self.seconds | {"all": round(time.monotonic() - self.began, 1)},
        }


def figures(model: dict[str, Any]) -> dict[str, Any]:
    """A model's figures by part of the held-out questions, each with its 95% interval."""
    return {
        "role": model["role"],
        **{
            group["subset"] or group["split"]: {
                "n": group["n"],
                **{
                    name: {
                        "value": group[name]["value"],
                        "interval": [group[name]["low"], group[name]["high"]],
                    }
                    for name in FIGURES
                },
            }
            for group in model["groups"]
        },
    }
