# ruff: noqa: E501 (an example a line)
"""A made-up row or two in the published shape of each kind of data set, and what must come of the first."""

from typing import Any

Example = tuple[str, Any, dict[str, Any]]
CHAT = [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "<think>a</think>2"}]

# (shape, rows, fields of the first question; "rationales" as (teacher, text, verdict) triples)
EXAMPLES: list[Example] = [
    (
        "GSM8K",
        [{"question": "How many?", "answer": "3+4=<<3+4=7>>7 eggs.\n#### 7"}],
        {"question": "How many?", "reference_answer": "7", "worked_solution": "3+4=<<3+4=7>>7 eggs.",
         "answer_type": "number"},
    ),
    (
        "MATH",
        [{"problem": "What is $2^3$?", "solution": "It is $\\boxed{8}$.", "level": "Level 1",
          "type": "Algebra"}],
        {"question": "What is $2^3$?", "reference_answer": "8", "domain": "Algebra", "difficulty": "Level 1",
         "worked_solution": "It is $\\boxed{8}$."},
    ),
    (
        "SVAMP",
        [{"ID": "c1", "Body": "He has 3", "Question": "How many?", "Answer": 3.0, "Type": "Addition"}],
        {"question": "He has 3. How many?", "reference_answer": "3", "id": "c1", "domain": "Addition"},
    ),
    (
        "AQuA",
        [{"question": "Q", "options": ["A)1", "B)2"], "rationale": "r", "correct": "B"}],
        {"choices": ("A)1", "B)2"), "reference_answer": "B", "worked_solution": "r"},
    ),
    (
        "ASDiv",
        [{"body": "Ann has 3 pens.", "question": "How many?", "answer": "3 (pens)", "formula": "3=3"}],
        {"question": "Ann has 3 pens. How many?", "reference_answer": "3 (pens)", "answer_type": "number"},
    ),
    (
        "MultiArith",
        [{"iIndex": 1, "lEquations": ["X=5+3"], "lSolutions": [8.0], "sQuestion": "5 and 3?"}],
        {"question": "5 and 3?", "reference_answer": "8", "id": "1"},
    ),
    (
        "StrategyQA",
        [{"qid": "a", "term": "Ant", "question": "Can an ant fit?", "answer": True, "facts": ["x"]}],
        {"reference_answer": "yes", "answer_type": "yes_no", "id": "a"},
    ),
    (
        "CommonsenseQA",
        [{"answerKey": "A", "id": "x", "question": {"question_concept": "d", "stem": "Where?", "choices": [
            {"label": "A", "text": "bank"}, {"label": "B", "text": "park"}]}}],
        {"question": "Where?", "choices": ("bank", "park"), "reference_answer": "A"},
    ),
    (
        "ARC with letters and numbers",
        [{"id": "1", "question": "Hot?", "choices": {"text": ["ice", "fire"], "label": ["1", "2"]},
          "answerKey": "2"},
         {"id": "2", "question": "Cold?", "choices": {"text": ["ice", "fire"], "label": ["A", "B"]},
          "answerKey": "A"}],
        {"choices": ("ice", "fire"), "reference_answer": "B"},
    ),
    (
        "AGIEval",
        [{"passage": "P.", "question": "Q?", "options": ["(A)x", "(B)y"], "label": "B", "answer": None},
         {"passage": None, "question": "1+1?", "options": None, "label": None, "answer": "2"}],
        {"question": "P.\n\nQ?", "reference_answer": "B", "choices": ("(A)x", "(B)y")},
    ),
    (
        "MMLU",
        [{"question": "Sides?", "subject": "maths", "choices": ["1", "2", "3", "4"], "answer": 3},
         {"question": "Eyes?", "subject": "maths", "choices": ["two", "x", "y", "z"], "answer": 0}],
        {"reference_answer": "D", "domain": "maths"},
    ),
    (
        "numbers from 1",
        [{"question": "A?", "option1": "x", "option2": "y", "answer": "1"},
         {"question": "B?", "option1": "x", "option2": "y", "answer": "2"}],
        {"choices": ("x", "y"), "reference_answer": "A"},
    ),
    (
        "more than ten choices",
        [{"question": "Q?", "choices": [f"c{n}" for n in range(14)], "answer": 12},
         {"question": "R?", "choices": [f"c{n}" for n in range(14)], "answer": 0}],
        {"reference_answer": "M", "choices": tuple(f"c{n}" for n in range(14))},
    ),
    (
        "several right choices",
        [{"question": "Q?", "options": ["x", "y", "z"], "answer": ["A", "C"]}],
        {"reference_answer": "A, C"},
    ),
    (
        "GPQA",
        [{"Record ID": "r", "Question": "Spin?", "Correct Answer": "1", "Incorrect Answer 1": "0",
          "Incorrect Answer 2": "2", "Explanation": "e"}],
        {"question": "Spin?", "worked_solution": "e", "answer_type": "choice"},
    ),
    (
        "options in the question",
        [{"id": 1, "question": "Which?\n\nA. 1\nB. 2\nC. 0\nD. -1", "answer": "B"}],
        {"question": "Which?", "choices": ("1", "2", "0", "-1"), "reference_answer": "B"},
    ),
    (
        "BIG-bench",
        {"name": "t", "examples": [{"input": "Even?", "target_scores": {"2": 1, "3": 0, "4": 1}}]},
        {"question": "Even?", "choices": ("2", "3", "4"), "reference_answer": "A", "other_answers": ("C",)},
    ),
    (
        "TheoremQA",
        [{"Question": "Is it?", "Answer": "True", "Answer_type": "bool", "Picture": None}],
        {"reference_answer": "True", "answer_type": "yes_no"},
    ),
    (
        "OlympiadBench",
        [{"question": "Q?", "solution": ["One.", "Two."], "final_answer": ["2"], "answer_type": "Numerical",
          "context": None}],
        {"reference_answer": "2", "worked_solution": "One.\nTwo.", "answer_type": "number"},
    ),
    (
        "GSM-Plus",
        [{"question": "How many?", "solution": "Not said.", "answer": "None", "perturbation_type": "critical",
          "seed_question": "Other?", "seed_answer": "3"}],
        {"question": "How many?", "reference_answer": "None", "answer_type": "undetermined"},
    ),
    ("MGSM", [{"language": "de", "question": "Wie viele?", "answer": 18}], {"reference_answer": "18"}),
    (
        "CoT-Collection",
        {"0": {"source": "Why blue?", "target": "scattering", "rationale": "Light.", "task": "t"},
         "1": {"source": "Why red?", "target": "iron", "rationale": "Rust.", "task": "t"}},
        {"question": "Why blue?", "reference_answer": "scattering", "worked_solution": "Light.", "domain": "t"},
    ),
    (
        "s1K",
        [{"solution": "128", "question": "2^7?", "cot_type": "math", "thinking_trajectories": ["hm"],
          "attempt": "It is \\boxed{128}."}],
        {"reference_answer": "128", "rationales": [("import", "It is \\boxed{128}.", None)]},
    ),
    (
        "two teachers by prefix",
        [{"question": "2^7?", "answer": "128", "gemini_thinking_trajectory": "I think so, yes I do.",
          "gemini_attempt": "So it is 128 then.", "deepseek_thinking_trajectory": "Let us see what it is.",
          "deepseek_attempt": "So it is 64 then.", "gemini_grade": "Yes", "deepseek_grade": "No"}],
        {"rationales": [("gemini", "So it is 128 then.", True), ("deepseek", "So it is 64 then.", False)]},
    ),
    (
        "LIMO",
        [{"question": "x?", "solution": "Okay, so \\boxed{3}", "answer": "3"}],
        {"reference_answer": "3", "worked_solution": "Okay, so \\boxed{3}"},
    ),
    (
        "OpenThoughts",
        [{"system": "S.", "conversations": [{"from": "user", "value": "1+1?"}, {"from": "assistant", "value":
          "<|begin_of_thought|>\nhm\n<|end_of_thought|>\n<|begin_of_solution|>\\boxed{2}<|end_of_solution|>"}]}],
        {"question": "1+1?", "reference_answer": "2", "rationales": [("import", "\\boxed{2}", None)],
         "metadata": {"system_prompt": "S."}},
    ),
    (
        "OpenR1-Math",
        [{"problem": "1+1?", "solution": "\\boxed{2}", "answer": "2", "uuid": "u",
          "generations": ["<think>a</think>It is 2", "<think>b</think>It is 3"],
          "correctness_math_verify": [True, False], "messages": CHAT}],
        {"reference_answer": "2", "rationales": [("import", "It is 2", True), ("import", "It is 3", False)]},
    ),
    (
        "messages with a thought in the text",
        [{"messages": CHAT, "answer": "2"}],
        {"question": "1+1?", "reference_answer": "2", "rationales": [("import", "2", None)]},
    ),
    (
        "earlier turns and a system prompt",
        [{"messages": [{"role": "system", "content": "Brief."}, *CHAT, {"role": "user", "content": "And 2+2?"},
                       {"role": "assistant", "content": "The answer is 4."}]}],
        {"question": "User: 1+1?\n\nAssistant: 2\n\nUser: And 2+2?", "reference_answer": "4",
         "metadata": {"system_prompt": "Brief."}},
    ),
    (
        "Alpaca",
        [{"instruction": "Add the numbers.", "input": "1 and 1", "output": "It is 2."}],
        {"question": "Add the numbers.\n\n1 and 1", "reference_answer": "2",
         "rationales": [("import", "It is 2.", None)]},
    ),
    (
        "distilabel",
        [{"instruction": "1+1?", "generations": ["It is 2, I say.", "It is three."],
          "generation_models": ["m1", "m2"], "ratings": [5, 1]}],
        {"rationales": [("m1", "It is 2, I say.", None), ("m2", "It is three.", None)]},
    ),
    (
        "Label Studio",
        [{"id": 7, "data": {"question": "1+1?", "context": "Maths."}, "annotations": [{"result": [
            {"from_name": "answer", "type": "textarea", "value": {"text": ["2"]}}]}], "predictions": []}],
        {"question": "Maths.\n\n1+1?", "reference_answer": "2", "id": "7"},
    ),
    (
        "ShareGPT",
        [{"conversations": [{"from": "human", "value": "1+1?"}, {"from": "gpt", "value": "Two, I think."}]}],
        {"question": "1+1?", "rationales": [("import", "Two, I think.", None)]},
    ),
    (
        "preferences",
        [{"prompt": "1+1?", "chosen": [*CHAT], "rejected": [CHAT[0], {"role": "assistant", "content": "3"}]}],
        {"question": "1+1?", "rationales": [("chosen", "2", None), ("rejected", "3", None)]},
    ),
    (
        "a prompt of turns and its reward",
        [{"data_source": "d", "prompt": [{"role": "user", "content": "1+1?"}],
          "reward_model": {"ground_truth": "2", "style": "rule"}}],
        {"question": "1+1?", "reference_answer": "2"},
    ),
    (
        "outputs with their verdict",
        [{"question": "Q?", "expected_answer": "3", "predicted_answer": "4", "is_correct": False,
          "generated_solution": "So it is \\boxed{4}"}],
        {"reference_answer": "3", "rationales": [("import", "So it is \\boxed{4}", False)]},
    ),
    (
        "SQuAD",
        {"version": "1", "data": [{"title": "T", "paragraphs": [{"context": "Ann is 3.", "qas": [
            {"id": "q1", "question": "How old?", "answers": [{"text": "3", "answer_start": 7},
                                                            {"text": "three", "answer_start": 7}]},
            {"id": "q2", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]}]}]}]},
        {"question": "Ann is 3.\n\nHow old?", "reference_answer": "3", "other_answers": ("three",), "id": "q1"},
    ),
    (
        "RACE",
        [{"article": "Once.", "questions": ["Who?", "What?"], "options": [["x", "y"], ["z", "w"]],
          "answers": ["B", "A"]}],
        {"question": "Once.\n\nWho?", "choices": ("x", "y"), "reference_answer": "B"},
    ),
    (
        "choices in one text",
        [{"Problem": "what?", "Rationale": "r", "options": "a ) 38 , b ) 27.675 , c ) none", "correct": "a"}],
        {"choices": ("38", "27.675", "none"), "reference_answer": "A"},
    ),
    (
        "letters of columns",
        [{"question": "Q?", "opa": "x", "opb": "y", "opc": "z", "cop": 2, "exp": "e"},
         {"question": "R?", "opa": "x", "opb": "y", "opc": "z", "cop": 0, "exp": "e"}],
        {"choices": ("x", "y", "z"), "reference_answer": "C", "worked_solution": "e"},
    ),
    (
        "the right text",
        [{"question": "Q?", "answer": "Rest", "options": {"A": "Run", "B": "Rest"}, "answer_idx": "B"}],
        {"choices": ("Run", "Rest"), "reference_answer": "B"},
    ),
    (
        "accepted answers",
        [{"question": "Who?", "answer": {"value": "W", "aliases": ["Will", "W"]}}],
        {"reference_answer": "W", "other_answers": ("Will",)},
    ),
    (
        "keys that differ from row to row",
        [{"question": "Q?", "final_answer": "4", "rationale": "2+2=4"}, {"question": "R?", "Answer": "5"}],
        {"reference_answer": "4", "worked_solution": "2+2=4"},
    ),
    (
        "our own",
        [{"id": 7, "question": "Which?", "reference_answer": "B", "choices": ["A) 1", "B) 2"], "split": "eval",
          "rationales": [{"teacher": "t", "text": "Answer: B", "temperature": 0.3}]}],
        {"id": "7", "split": "eval", "answer_type": "choice", "rationales": [("t", "Answer: B", None)]},
    ),
]  # fmt: skip
