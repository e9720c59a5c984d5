"""Count how far the reviewers of a project agree, on the `cpu` queue."""

from curation.celery_app import COUNT_AGREEMENT
from curation.jobs import Status, begin, ending, finish
from curation.reviews.models import AgreementCount
from curation.reviews.reports.agreement import compared, forget_old
from workers.agreement.rating import Said
from workers.authorization import refuse_nobodys
from workers.heartbeat import Pulse
from workers.turns import in_turns


@in_turns(COUNT_AGREEMENT, AgreementCount)
def count_agreement(count_id: int) -> None:
    """Any member may order it: it changes nothing but its own row."""
    if refuse_nobodys(AgreementCount, count_id):
        return
    count = begin(AgreementCount, count_id)
    if count is None:
        return
    # Imported with the first count: pandas and NLTK take seconds and 200 MB, which a worker that is
    # never asked for agreement does not spend.
    from workers.agreement.report import agreement

    with ending(count), Pulse(count, on_lost=lambda: None):
        said = [
            Said(row.question, row.rationale, row.person, row.verdict, row.labels, row.known)
            for row in compared(count.project)
        ]
        figures = agreement(said)
        if finish(count, Status.DONE, figures=figures, reviews=len(said)):
            forget_old(count)
