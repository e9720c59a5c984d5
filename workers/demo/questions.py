"""The demo project's questions as JSON lines: `python -m workers.demo.questions > FILE`."""

import json

from workers.demo.problems import demo_project_questions

if __name__ == "__main__":
    for row in demo_project_questions():
        print(json.dumps(row, ensure_ascii=False))
