"""A line of each shape that an import understands, to be shown beside the form."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    preset: str
    title: str
    says: str
    line: str


SAMPLES = (
    Sample(
        "chainwright",
        "Chainwright",
        "Questions, with or without rationales. Only question is needed.",
        '{"question": "Ann has 3 eggs and buys 2 more. How many has she?", "reference_answer": "5", '
        '"domain": "shop", "split": "train", "rationales": '
        '[{"teacher": "strong", "text": "3 + 2 = 5.\\nAnswer: 5", "temperature": 0.5}]}',
    ),
    Sample(
        "gsm8k",
        "GSM8K",
        "Worked answers that end in “#### n”.",
        '{"question": "Natalia sold clips to 48 friends …", '
        '"answer": "Natalia sold 48/2 = <<48/2=24>>24 clips …\\n#### 72"}',
    ),
    Sample(
        "gsm8k-solutions",
        "GSM8K with model solutions",
        "One key a teacher; their solutions come in as rationales.",
        '{"question": "Janet’s ducks lay 16 eggs …", "ground_truth": "… = 9\\nA: 18", '
        '"6b_finetuning": {"solution": "…\\nA: 26", "is_correct": false}}',
    ),
    Sample(
        "math",
        "MATH",
        "The answer is read from the last \\boxed{}.",
        '{"problem": "What is $2^3$?", "solution": "It is $\\\\boxed{8}$.", "level": "Level 1", '
        '"type": "Algebra"}',
    ),
    Sample(
        "svamp",
        "SVAMP",
        "Body and question in two parts.",
        '{"Body": "Each pack costs 76 dollars", "Question": "How much …?", "Answer": 51.0, '
        '"Type": "Subtraction"}',
    ),
    Sample(
        "aqua",
        "AQuA",
        "Multiple choice.",
        '{"question": "Three birds fly …", "options": ["A)32400", "B)6000"], "rationale": "…", '
        '"correct": "A"}',
    ),
)
