"""Files that nobody needs: of processes that were killed while they wrote."""

from datetime import timedelta

from curation import artifacts
from curation.questions.models import QuestionImport

# Longer than any upload or freezing goes without writing, and than any transaction is open.
AGE = timedelta(days=1)


def remove_left_over() -> list[str]:
    """Remove the files that were never finished, and uploads that no import names; returns their paths.

    Whatever was written to within a day stays: its process may still be at work.
    """
    parts = [path for path in artifacts.untouched("", AGE) if path.endswith(artifacts.PART)]
    uploads = [p for p in artifacts.untouched("imports", AGE) if not p.endswith(artifacts.PART)]
    # Asked for after the files were listed: an import that came between has its row by now.
    named = set(QuestionImport.objects.values_list("artifact", flat=True)) if uploads else set()
    gone = parts + [path for path in uploads if path not in named]
    for path in gone:
        artifacts.remove(path)
    return gone
