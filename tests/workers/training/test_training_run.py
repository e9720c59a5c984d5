"""Whole trainings of a random Llama in this process: what they leave, and what they refuse."""

import json
import resource
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workers.training.training_tiny import TEMPLATE, make_model, sums, write_rows
from workers.training.config import TrainingConfig
from workers.training.errors import CheckFailed, ConfigError, TrainingError
from workers.training.events import read_events
from workers.training.folder import RunFolder, weights_mark

RECIPE = {"learning_rate": 1e-2, "max_steps": 40, "max_length": 128, "sample_tokens": 16}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("base") / "model")


def config(base, folder, rows=None, **recipe) -> TrainingConfig:
    folder.mkdir(exist_ok=True)
    data = write_rows(folder / "train.jsonl", rows or sums(64))
    return TrainingConfig.from_dict(
        {
            "base_model": str(base),
            "dataset": str(data),
            "output_dir": str(folder / "out"),
            "recipe": {**RECIPE, **recipe},
        }
    )


def train(made: TrainingConfig) -> list[dict]:
    """Run it here and return its events, whatever comes out."""
    from workers.training.run import run

    try:
        run(made)
    finally:
        events, _ = read_events(made.output_dir + "/events.jsonl")
    return events


def refused(made: TrainingConfig, error: type[Exception] = TrainingError) -> str:
    """Run what must be refused; its reason, which stands in the last event too."""
    with pytest.raises(error) as caught:
        train(made)
    events, _ = read_events(made.output_dir + "/events.jsonl")
    assert events[-1]["event"] == "error"
    assert events[-1]["reason"] == caught.value.reason
    assert not any(event["event"] == "progress" for event in events)
    return caught.value.reason


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    made = config(base, folder, samples_every=20, logging_steps=10)
    held_out = write_rows(folder / "eval.jsonl", sums(16, seed=3))
    made = replace(made, eval_dataset=str(held_out))
    return made, train(made)


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def test_training_lowers_both_losses_and_tells_its_progress(trained):
    _, events = trained
    progress = of(events, "progress")
    assert [event["step"] for event in progress] == [1, 10, 20, 30, 40]
    assert progress[-1]["loss"] < progress[0]["loss"] - 0.2
    assert progress[-1]["total"] == 40 and progress[-1]["seconds_left"] == 0
    assert all(event["tokens_per_second"] > 0 for event in progress)
    held_out = of(events, "eval")
    assert held_out[-1]["loss"] < held_out[0]["loss"]
    assert events[-1]["event"] == "end" and events[-1]["steps"] == 40


def test_the_checks_come_before_the_first_step_and_show_the_example(trained):
    _, events = trained
    kinds = [event["event"] for event in events]
    assert kinds.index("checks") < kinds.index("progress")
    found = of(events, "checks")[0]
    assert {check["code"]: check["ok"] for check in found["checks"]} == {
        "longest": True,
        "end_token": True,
        "template": True,
        "special_tokens": True,
    }
    first, second = found["first_example"]
    assert first["text"].startswith("<|user|>What is") and not first["trained"]
    assert second["text"].endswith("<|end|>") and second["trained"]
    assert 0 < found["share"] < 1 and found["trained"] > 0
    assert found["examples"] == 64 and found["tokens"] > 64 * 20
    assert found["held_out_examples"] == 16


def test_samples_are_written_while_it_trains_and_at_the_end(trained):
    _, events = trained
    samples = of(events, "sample")
    assert [event["step"] for event in samples] == [0, 20, 40]
    assert len(samples[0]["samples"]) == 2
    assert samples[0]["samples"][0]["prompt"].startswith("What is")


def test_the_adapter_is_safetensors_with_tokenizer_and_card_and_no_pickle(trained):
    made, events = trained
    folder = Path(made.output_dir, "adapter")
    names = {path.name for path in folder.iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    origin = json.loads((folder / "origin.json").read_text())
    assert origin["base_mark"] == weights_mark(made.base_model)
    card = (folder / "README.md").read_text()
    assert of(events, "start")[0]["dataset_sha256"] in card
    assert not list(folder.parent.glob("checkpoint-*"))
    assert not (folder.parent / "adapter.tmp").exists()


def test_the_adapter_loads_in_peft_and_changes_what_the_base_says(trained, base):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made, _ = trained
    folder = made.output_dir + "/adapter"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == TEMPLATE
    ids = tokenizer("What is 2 + 2?", return_tensors="pt")
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        before = model(**ids).logits
        tuned = PeftModel.from_pretrained(model, folder)
        after = tuned(**ids).logits
    modules = {name.split(".")[-1] for name in tuned.peft_config["default"].target_modules}
    assert len(modules) == 7
    assert not torch.allclose(before, after, atol=1e-3)


def test_the_same_seed_gives_the_same_weights(base, tmp_path):
    from workers.training.data import file_sha256

    marks = []
    for name in ("one", "two"):
        made = config(base, tmp_path / name, max_steps=6)
        train(made)
        marks.append(file_sha256(made.output_dir + "/adapter/adapter_model.safetensors"))
    assert marks[0] == marks[1]


def test_a_used_folder_is_refused_and_a_finished_one_is_left_alone(trained):
    made, _ = trained
    before = Path(made.output_dir, "events.jsonl").read_bytes()
    with pytest.raises(ConfigError, match="holds a training already"):
        train(made)
    assert Path(made.output_dir, "events.jsonl").read_bytes() == before
    events = train(replace(made, resume=True))
    assert events[-1]["event"] == "end" and events[-1]["already"]
    with pytest.raises(ConfigError, match=r"recipe\.rank was 16 at the start and is 8 now"):
        train(replace(made, resume=True, recipe=replace(made.recipe, rank=8)))


def test_two_launches_into_one_folder_do_not_mix(base, tmp_path):
    made = config(base, tmp_path / "job")
    first = RunFolder(made)
    with pytest.raises(TrainingError, match="Another training is writing"):
        train(made)
    timer = threading.Timer(0.5, first.close)  # its checkpoint takes half a second more
    timer.start()
    RunFolder(replace(made, resume=True)).close()
    timer.join()


def test_an_example_that_is_too_long_is_refused_with_its_line(base, tmp_path):
    rows = sums(20)
    rows[11]["completion"][0]["content"] = "Step 1: " + "7 + 1 = 8. " * 40 + "\nAnswer: 8"
    reason = refused(config(base, tmp_path / "job", rows))
    assert "line 12" in reason and "raise recipe.max_length" in reason
    events = train(config(base, tmp_path / "other", rows, too_long="leave_out", max_steps=2))
    found = of(events, "checks")[0]
    assert found["examples"] == 19 and found["longest"] <= 128
    assert found["checks"][0]["value"].endswith("1 left out")


def test_a_control_token_inside_a_rationale_is_refused_with_its_line(base, tmp_path):
    rows = sums(20)
    rows[4]["completion"][0]["content"] = "Step 1: <|end|> ignore the rest.\nAnswer: 1"
    assert "Line 5: the assistant text holds '<|end|>'" in refused(
        config(base, tmp_path / "job", rows)
    )


def test_a_template_that_does_not_end_with_the_end_token_is_refused(base, tmp_path):
    copy = shutil.copytree(base, tmp_path / "model")
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|end|>", "."))
    reason = refused(config(copy, tmp_path / "job"), CheckFailed)
    assert "ends with" in reason and "recipe.eos_token" in reason


def test_a_template_that_renders_the_prompt_differently_is_refused(base, tmp_path):
    copy = shutil.copytree(base, tmp_path / "model")
    template = copy / "chat_template.jinja"
    template.write_text(
        template.read_text().replace("<|assistant|>{% endif %}", "<|assistant|> {% endif %}")
    )
    reason = refused(config(copy, tmp_path / "job"), CheckFailed)
    assert "in serving" in reason


def test_padding_that_is_the_end_token_hides_the_end_and_the_check_sees_it(base):
    """The trap of trl#1623, with the collator of transformers that has it."""
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling as TrlCollator

    from workers.training.checks import check_end_token, stop_tokens

    tokenizer = AutoTokenizer.from_pretrained(base)
    ids = tokenizer("What is 2 + 2?<|assistant|>4<|end|>")["input_ids"]
    longer = tokenizer("What is 2 + 2 + 2 + 2?<|assistant|>8<|end|>")["input_ids"]
    rows = [{"input_ids": x, "labels": list(x), "line": n} for n, x in enumerate((ids, longer), 1)]
    stops = stop_tokens(tokenizer)

    def hiding(rows):
        return DataCollatorForLanguageModeling(tokenizer, mlm=False)(
            [{"input_ids": row["input_ids"]} for row in rows]
        )

    assert check_end_token(hiding, rows, tokenizer, stops).ok
    tokenizer.pad_token = tokenizer.eos_token
    found = check_end_token(hiding, rows, tokenizer, stops)
    assert not found.ok and "padding token is the end token" in found.message
    trl = TrlCollator(pad_token_id=tokenizer.pad_token_id)
    assert check_end_token(trl, rows, tokenizer, stops).ok  # TRL masks padding by its place


def test_a_model_without_a_padding_token_still_learns_to_stop(base, tmp_path):
    copy = shutil.copytree(base, tmp_path / "model")
    settings = json.loads((copy / "tokenizer_config.json").read_text())
    settings["pad_token"] = None
    (copy / "tokenizer_config.json").write_text(json.dumps(settings))
    events = train(config(copy, tmp_path / "job", max_steps=2))
    found = {check["code"]: check["ok"] for check in of(events, "checks")[0]["checks"]}
    assert found["end_token"] and events[-1]["event"] == "end"


def test_pickled_weights_are_not_loaded(base, tmp_path):
    import torch

    copy = shutil.copytree(base, tmp_path / "model")
    (copy / "model.safetensors").unlink()
    torch.save({}, copy / "pytorch_model.bin")
    assert "no safetensors weights" in refused(config(copy, tmp_path / "job"))


def test_a_frozen_data_set_that_was_cut_off_is_refused(base, tmp_path):
    from workers.training.data import file_sha256

    made = config(base, tmp_path / "job")
    made = replace(made, dataset_sha256=file_sha256(made.dataset))
    with Path(made.dataset).open("r+b") as file:
        file.truncate(900)
    assert "is not the frozen one" in refused(made)
    assert "cut off" in refused(config_without_hash(made, tmp_path))


def config_without_hash(made, tmp_path):
    return replace(made, dataset_sha256="", output_dir=str(tmp_path / "second"))


def test_a_loss_that_is_no_number_ends_the_training_with_the_reason(base, tmp_path):
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(base, tmp_path / "model")
    weights = load_file(copy / "model.safetensors")
    weights["model.norm.weight"] *= float("inf")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    made = config(copy, tmp_path / "job")
    with pytest.raises(TrainingError, match="not a number at step 1"):
        train(made)
    events, _ = read_events(made.output_dir + "/events.jsonl")
    assert events[-1]["code"] == "nan" and "learning_rate" in events[-1]["reason"]


def test_a_full_disk_ends_the_training_with_the_reason(base, tmp_path):
    made = config(base, tmp_path / "job", max_steps=3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))  # the adapter has some 70 kB
    try:
        with pytest.raises(Exception) as caught:  # the library's own, of any type
            train(made)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    events, _ = read_events(made.output_dir + "/events.jsonl")
    assert events[-1]["code"] == "disk", (caught.value, events[-1])
    assert "Free some space" in events[-1]["reason"]
    assert not Path(made.output_dir, "adapter").exists()


def test_the_loss_of_a_small_vocabulary_is_that_of_trl(base, tmp_path, monkeypatch):
    from workers.training import trainer

    losses = []
    for name, limit in (("plain", 8192), ("fused", 0)):
        monkeypatch.setattr(trainer, "SMALL_VOCABULARY", limit)
        events = train(config(base, tmp_path / name, max_steps=8, logging_steps=1, micro_batch=4))
        losses.append([event["loss"] for event in of(events, "progress")])
        assert all(event["tokens_per_second"] > 0 for event in of(events, "progress"))
    assert losses[0] == pytest.approx(losses[1], abs=2e-4)


DEMO = Path(__file__).resolve().parents[3] / "workers" / "demo" / "models" / "student"


@pytest.mark.skipif(not DEMO.is_dir(), reason="the demo models are not built")
def test_the_demo_student_passes_every_check_and_learns(tmp_path):
    from tools.demo.problems import demo_questions

    rows = [
        {
            "prompt": [{"role": "user", "content": problem.question}],
            "completion": [{"role": "assistant", "content": problem.rationale}],
        }
        for problem in demo_questions("train", 64, 1)
    ]
    folder = shutil.copytree(DEMO, tmp_path / "student")  # the shipped one may be rebuilt meanwhile
    made = config(folder, tmp_path / "job", rows, preset="demo", max_steps=20, samples_every=0)
    events = train(replace(made, recipe=replace(made.recipe, learning_rate=5e-3)))
    assert all(check["ok"] for check in of(events, "checks")[0]["checks"])
    losses = [event["loss"] for event in of(events, "progress")]
    assert losses[-1] < losses[0] / 2
