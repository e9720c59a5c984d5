"""The shipped demo models and the way they are built."""

import json
import re
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tools.demo import corpus
from tools.demo.build import MODELS, _write
from tools.demo.build import main as build_main
from tools.demo.corpus import ASSISTANT, END, USER
from tools.demo.measure import accuracy, answer, read_answer, wilson
from tools.demo.pretrain import Recipe, Stage, encode, train
from tools.demo.problems import DEV_SEED, demo_questions, project_split
from tools.demo.recipes import RECIPES
from tools.demo.tokenizer import build_tokenizer

NAMES = tuple(RECIPES)
# Far from what was measured (see each folder's README.md), so that only a broken model fails.
BOUNDS = {"strong": (0.8, 1.0), "wordy": (0.25, 0.8), "student": (0.0, 0.2)}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MODELS / "strong")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_folder_loads_and_answers_as_its_card_says(name, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32).eval()
    problems = project_split("eval", DEV_SEED)[:40]
    rationales = answer(model, tokenizer, [p.question for p in problems])
    figures = accuracy(problems, rationales)
    low, high = BOUNDS[name]
    assert low <= figures["accuracy"] <= high, figures
    assert figures["unfinished"] == 0, "every rationale ends with the end token"


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_folder_is_what_other_programs_expect(name):
    folder = MODELS / name
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"] and config["dtype"] == "bfloat16"
    assert config["max_position_embeddings"] >= 512
    # A head size that vLLM's attention knows on the CPU too, and no odd widths.
    assert config["head_dim"] == 32
    assert config["hidden_size"] == config["head_dim"] * config["num_attention_heads"]
    assert config["eos_token_id"] != config["pad_token_id"]
    generation = json.loads((folder / "generation_config.json").read_text())
    assert generation["eos_token_id"] == config["eos_token_id"]
    assert (folder / "model.safetensors").stat().st_size < 3_000_000
    assert not [p for p in folder.iterdir() if p.suffix in {".bin", ".pt", ".pkl", ".py"}]
    card = (folder / "README.md").read_text()
    assert "a demonstration, not a model to use" in card.casefold()
    measured = json.loads((folder / "measured.json").read_text())
    assert f"{measured['eval']['accuracy']:.1%}" in card and f"seed {RECIPES[name].seed}" in card


def test_all_models_have_the_same_tokenizer(tokenizer):
    first, *others = [(MODELS / n / "tokenizer.json").read_bytes() for n in NAMES]
    assert all(other == first for other in others)
    assert len({(MODELS / n / "chat_template.jinja").read_text() for n in NAMES}) == 1


def test_texts_come_back_whole_and_digits_stand_alone(tokenizer):
    texts = [p.question + "\n" + p.rationale for p in demo_questions("train", 50, 3)]
    texts += ["Ünïcode 東京 \u2212 3½ 👍", "  two  spaces\n\n\tand 1234567890", "x" * 300]
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text
    for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer))):
        assert len(re.findall(r"\d", token)) <= 1, token
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


def test_the_template_marks_just_what_the_assistant_says(tokenizer):
    messages = [
        {"role": "user", "content": "Tom has 12 apples."},
        {"role": "assistant", "content": "Step 1.\nAnswer: 12"},
    ]
    out = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True
    )
    said = [i for i, m in zip(out["input_ids"], out["assistant_masks"], strict=True) if m]
    assert tokenizer.decode(said) == f"Step 1.\nAnswer: 12{END}"
    prompt = tokenizer.apply_chat_template(
        messages[:1], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    assert out["input_ids"][: len(prompt)] == prompt and prompt + said == out["input_ids"]


def test_the_template_writes_what_the_models_were_trained_on(tokenizer):
    pieces = corpus.one_step(Random(1))
    ids, learn = encode(pieces, tokenizer)
    question = pieces[0][0].removeprefix(USER).removesuffix(ASSISTANT)
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": pieces[1][0].removesuffix(END)},
    ]
    out = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True
    )
    assert out["input_ids"] == ids and [bool(m) for m in out["assistant_masks"]] == learn


def test_pieces_give_the_tokens_of_the_whole_text(tokenizer):
    rng = Random(2)
    makers = (
        corpus.facts,
        corpus.rationales(0.5, 0.1, 0.2),
        corpus.bare_rationale,
        corpus.next_step,
    )
    for make in makers:
        for _ in range(50):
            pieces = make(rng)
            whole = tokenizer("".join(text for text, _ in pieces))["input_ids"]
            assert encode(pieces, tokenizer)[0] == whole


def test_a_build_is_the_same_twice_to_the_byte(tmp_path):
    mix = ((1.0, corpus.facts), (1.0, corpus.rationales(0.5, 0.1, 0.1)))
    stages = (Stage("first", 3, mix, 8e-3, 8e-3), Stage("second", 2, mix, 8e-3, 1e-3))
    recipe = Recipe("strong", layers=1, hidden=32, inner=64, seed=7, stages=stages)
    seen: list[tuple] = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        tokenizer = build_tokenizer()
        model = train(recipe, tokenizer, lambda *row: seen.append(row[:4]))
        _write(model, tokenizer, folder)
    assert seen[0] == seen[1] and seen[0][:3] == ("second", 5, 5)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert "model.safetensors" in files and "tokenizer.json" in files
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    shipped = (MODELS / "strong" / "tokenizer.json").read_bytes()
    assert (tmp_path / "a" / "tokenizer.json").read_bytes() == shipped


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert build_main(["--out", str(tmp_path / "file")]) == 1
    assert "Choose --out" in capsys.readouterr().err


def test_answers_and_intervals_are_read_as_published():
    assert read_answer("Step 1: a: 1 + 2 = 3.\nAnswer: 3") == "3"
    assert read_answer("Step 1: a: 1 + 2 = 3.") is None
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81 of 263 and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
