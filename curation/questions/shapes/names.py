"""What columns are called in public files and in people's tables, by what they hold.

Names are compared as `columns.normal` writes them. Order says preference: of two columns that both could
be it, the first name wins. The words are of the field's usual files and of tables of several languages;
what a column really is, its values decide (`propose`).
"""

import re

ROLES: dict[str, str] = {
    "question": "question",
    "context": "context, shown above the question",
    "input": "text below the question",
    "messages": "conversation",
    "system_prompt": "system prompt, kept with the question",
    "reference_answer": "reference answer",
    "other_answers": "other accepted answers",
    "worked_solution": "worked solution",
    "choices": "choices",
    "choice": "one of the choices",
    "wrong_choice": "a wrong choice",
    "right_choice": "right choice: as it fits the file",
    "right_choice_0": "right choice: number from 0 (0 = A)",
    "right_choice_1": "right choice: number from 1 (1 = A)",
    "answer_type": "answer type",
    "domain": "domain",
    "difficulty": "difficulty",
    "split": "split",
    "subset": "subset",
    "id": "id",
    "rationale": "rationale",
    "rationales": "rationales with their teachers",
    "teacher": "name of the teacher",
    "reasoning": "reasoning before the rationale",
    "verdict": "verdict of the rationale, kept beside ours",
    "predicted_answer": "answer of the rationale",
    "temperature": "temperature of the rationale",
    "finish_reason": "why the rationale’s generation ended",
    "steps": "rationale in steps",
    "step_labels": "labels of those steps",
    "first_wrong_step": "number of the first wrong step",
    "metadata": "metadata",
    "unused": "not used",
}

# Each list in the order of preference.
QUESTION = [
    "question question_text question_stem stem problem problem_text problem_statement "
    "s_question question_content ques "
    "word_problem math_problem squestion exercise riddle puzzle question_en question_body q "
    "frage aufgabe pregunta "
    "pergunta domanda vraag pytanie soru вопрос задача 问题 题目 問題 質問 질문 문제 प्रश्न سؤال câu_hỏi",
    "query claim conclusion hypothesis goal ctx sentence original_text original_question "
    "question_title",
    "prompt instruction input inputs source user_prompt user_input user_message user human "
    "turns task_prompt "
    "prompt_text instructions request",
    "text content body description statement task title",
]
CONTEXT = (
    "context passage article paragraph paragraphs story body premise premises background "
    "document documents "
    "scenario situation theory flores_passage passage_text reading reading_passage material "
    "preamble excerpt "
    "dialogue dialog abstract contexts sentences hint table text source_text intro introduction "
    "kontext texto "
    "contexte contesto 文章 背景 材料"
).split()
ANSWER = (
    "reference_answer final_answer expected_answer gold_answer golden_answer golden_answers "
    "ground_truth_answer "
    "correct_answer best_answer ground_truth gold_standard_solution gold_standard answer "
    "answers answer_text "
    "answer_value correct_answers right_answer reference ans gold golds gt target targets "
    "expected expected_output "
    "ideal label gold_label label_text target_text l_solutions lsolutions final_decision "
    "solution exact_answer numeric_answer "
    "short_answer correct_response correct std_answer true_answer truth result value spans "
    "response output "
    "completion lösung antwort respuesta réponse resposta risposta antwoord odpowiedź cevap "
    "ответ 答案 答え 正解 "
    "정답 उत्तर الجواب"
).split()
OTHER_ANSWERS = (
    "other_answers aliases answer_aliases accepted_answers alternatives normalized_aliases "
    "acceptable_answers "
    "alternative_answers correct_answers equivalent_answers"
).split()
RIGHT_CHOICE = (
    "answer_key correct_option correct_choice correct_letter answer_letter correct_label "
    "answer_label answer_idx "
    "answer_index correct_answer_idx correct_answer_index correct_index correct_idx "
    "correct_answer_num cop key "
    "correct_option_index gold_index gold_idx right_choice right_option correct label gold "
    "labels answer "
    "correct_answer target final_answer reference_answer solution correct_answers answers "
    "right_answer "
    "ground_truth gold_label multiple_choice_scores output response 答案 正解 richtig richtige_antwort"
).split()
CHOICES = (
    "choices options option_list answer_choices multiple_choice_targets candidates endings "
    "alternatives "
    "possible_answers opts choice_list mcq_options answer_option_list mc1_targets target_scores "
    "answers "
    "answer_options multi_choice_options optionen antworten opciones opções 选项 選択肢"
).split()
WORKED = (
    "worked_solution reference_chain solution explanation rationale exp analysis derivation "
    "proof cot_content "
    "gold_cot answer_analysis long_answer reference_solution ground_truth_solution "
    "full_solution worked_answer "
    "explanations solution_text reference_cot human_rationale lösungsweg explicación "
    "explication 解析 解答"
).split()
RATIONALE = (
    "generated_solution generated_text generation generations response responses completion "
    "completions output "
    "outputs model_output model_outputs model_response model_responses model_answer "
    "llm_response llm_answer samples "
    "sample attempt attempts cot chain_of_thought reasoning_chain model_solution "
    "model_solutions model_completion "
    "generated_rationale generated_answer candidates predictions prediction chosen rejected "
    "assistant gpt "
    "gpt_solution full_response raw_output raw_response answer_content rationales solutions "
    "llm_output preferred_output "
    "non_preferred_output gpt_answer student_solution student_answer"
).split()
REASONING = (
    "reasoning reasoning_content thinking thought thoughts think think_content thinking_trajectory "
    "thinking_trajectories complex_cot reasoning_trace trace internal_monologue scratchpad long_cot"
).split()
VERDICT = (
    "is_correct correctness correct is_right verdict verified passed agrees final_answer_correct "
    "answer_correctness answer_correct correctness_math_verify correctness_llama "
    "is_final_answer_correct "
    "model_output_answer_correctness is_answer_correct was_correct judgement judgment pass "
    "reward accuracy "
    "corrects labels label score scores is_verified model_output_solution_correctness"
).split()
PREDICTED = (
    "predicted_answer generated_prediction prediction pred preds model_prediction "
    "extracted_answer model_answer "
    "predicted parsed_answer"
).split()
TEACHER = (
    "teacher model model_name generator generation_model generation_models llm response_model "
    "generator_model "
    "teacher_model model_id models llm_name generated_by"
).split()
FINISH_REASON = "finish_reason finish_reasons stop_reason".split()
TEMPERATURE = "temperature temp sampling_temperature".split()
STEPS = (
    "steps solution_steps completions model_output_steps hypothesis_steps model_output_step_format "
    "reasoning_steps step_list process modified_process"
).split()
STEP_LABELS = (
    "step_labels labels ratings rating step_ratings label step_label human_labels "
    "correctness_labels"
).split()
FIRST_WRONG = (
    "first_wrong_step first_error_step label model_output_solution_first_error_step error_step "
    "first_error "
    "first_unsound_step"
).split()
ID = (
    "id question_id qid problem_id uid uuid unique_id example_id sample_id task_id id_string "
    "i_index record_id custom_id "
    "_id questionid item_id pid row_id problem_number que_id idx index iindex number no nr key"
).split()
DOMAIN = (
    "domain subject subject_name category topic field discipline area subdomain topic_name task "
    "task_name theme type "
    "problem_type question_type high_level_domain raw_subject subfield subtopic skill tipo fach "
    "thema thème "
    "categoría tema 学科 科目 분야"
).split()
DIFFICULTY = (
    "difficulty level difficulty_level grade hardness complexity schwierigkeit stufe nivel "
    "niveau dificultad 难度"
).split()
SPLIT = "split partition set fold subset_split data_split".split()
SUBSET = "subset subset_name".split()
ANSWER_TYPE = "answer_type answertype answer_format".split()
SYSTEM = "system system_prompt system_message".split()
METADATA = (
    "metadata meta meta_info tags tag source url link license licence year language lang unit "
    "units equation "
    "equations l_equations lequations formula annotated_formula linear_formula solution_type "
    "question_concept concept facts "
    "decomposition term keywords perturbation_type dataset dataset_name data_source origin "
    "extra_info book chapter "
    "page notes note comment comments is_multiple_answer other supporting_facts evidence "
    "evidences created_at "
    "config variation info solve_rate distilabel_metadata reference_source author"
).split()

RANKS: dict[str, dict[str, int]] = {
    role: {name: place for place, name in enumerate(words)}
    for role, words in {
        "context": CONTEXT,
        "answer": ANSWER,
        "other_answers": OTHER_ANSWERS,
        "right_choice": RIGHT_CHOICE,
        "choices": CHOICES,
        "worked_solution": WORKED,
        "rationale": RATIONALE,
        "reasoning": REASONING,
        "verdict": VERDICT,
        "predicted_answer": PREDICTED,
        "teacher": TEACHER,
        "temperature": TEMPERATURE,
        "finish_reason": FINISH_REASON,
        "steps": STEPS,
        "step_labels": STEP_LABELS,
        "first_wrong_step": FIRST_WRONG,
        "id": ID,
        "domain": DOMAIN,
        "difficulty": DIFFICULTY,
        "split": SPLIT,
        "subset": SUBSET,
        "answer_type": ANSWER_TYPE,
        "system_prompt": SYSTEM,
        "metadata": METADATA,
    }.items()
}
RANKS["question"] = {
    name: tier * 100 + place
    for tier, words in enumerate(QUESTION)
    for place, name in enumerate(words.split())
}
ANY_QUESTION = re.compile(r"(?:^|_)(?:question|problem)(?:_|$)")
NO_QUESTION = re.compile(
    r"(?:^|_)(?:id|ids|type|types|no|num|number|concept|category|source|topic|level|date|length|count|tokens|idx|"
    r"index|seed|lang|language|url|title|image|images|format|difficulty|name|version|hash|author|similar|kind|"
    r"domain|subject|tags|status)(?:_|$)"
)
SPLITS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(
        (
            "test",
            "dev",
            "val",
            "valid",
            "validation",
            "eval",
            "evaluation",
            "held out",
            "held-out",
            "held_out",
        ),
        "eval",
    ),
    **dict.fromkeys(("ood", "out of distribution"), "ood"),
}
# A family of columns with a choice each. The second group is the letter or number.
FAMILY = re.compile(
    r"^(option|opt|choice|answer|ans|alternative|sol|ending|mc_answer|op|candidate|respuesta|opcion|opción|option_text"
    r"|distractor|incorrect_answer|wrong_answer|false_answer|incorrect|antwort|choice_text|选项|)_?([a-j]|\d{1,2})$"
)
WRONG = re.compile(r"distractor|incorrect|wrong|false")


def known(role: str, name: str) -> int | None:
    """The rank of a (normal) name for a role; None where it is none."""
    return RANKS[role].get(name)


def split_of(word: str) -> str:
    """The split that a file's word for it means, "" where it means none."""
    word = word.strip().lower()
    if word in SPLITS:
        return SPLITS[word]
    found = re.match(r"(train|test|dev|val|valid|validation|eval)(?:[^a-z]|$)", word)
    return SPLITS[found[1]] if found else ""
