"""The workers' Celery application."""

import subprocess
import sys

HEAVY = ("torch", "transformers", "trl", "scipy", "pandas", "statsmodels", "nltk", "sympy")


def test_a_worker_that_has_done_nothing_has_loaded_no_library_of_models_or_statistics() -> None:
    code = (
        "import sys; from workers.app import app; app.loader.import_default_modules(); "
        f"print(len(app.tasks), [m for m in {HEAVY} if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tasks, loaded = told.stdout.strip().split(" ", 1)
    assert int(tasks) > 20 and loaded == "[]"
