"""The demo project's questions as JSON lines: `python -m tools.demo.questions > workers/demo/questions.jsonl`
makes the file that ships."""

import json

from tools.demo.problems import demo_project_questions

if __name__ == "__main__":
    for row in demo_project_questions():
        print(json.dumps(row, ensure_ascii=False))
