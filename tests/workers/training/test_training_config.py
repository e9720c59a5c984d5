"""What a training's configuration accepts and refuses. No model is loaded here."""

import json

import pytest

from workers.training.config import Recipe, TrainingConfig
from workers.training.errors import ConfigError
from workers.training.presets import PRESETS


def config(tmp_path, **changes) -> dict:
    data = {
        "base_model": str(tmp_path),
        "dataset": str(tmp_path / "train.jsonl"),
        "output_dir": str(tmp_path / "out"),
        "recipe": {"rank": 8},
    }
    return {**data, **changes}


def test_a_configuration_survives_the_way_through_a_file(tmp_path):
    prompts = [[{"role": "user", "content": "What is 1 + 1?"}]]
    before = TrainingConfig.from_dict(config(tmp_path, sample_prompts=prompts))
    before.save(tmp_path / "config.json")
    assert TrainingConfig.load(tmp_path / "config.json") == before
    assert before.recipe.rank == 8


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "colour is unknown"),
        ({"recipe": {"leaning_rate": 1}}, "recipe.leaning_rate is unknown"),
        ({"hf_token": "hf_x"}, "looks like a secret"),
        ({"recipe": {"api_key": "x"}}, "looks like a secret"),
        ({"recipe": {"rank": 0}}, "recipe.rank is 0. Use a whole number from 1"),
        ({"recipe": {"rank": 8.5}}, "recipe.rank is 8.5. Use a whole number"),
        ({"recipe": {"rank": True}}, "recipe.rank is True"),
        ({"recipe": {"learning_rate": float("nan")}}, "recipe.learning_rate is nan"),
        ({"recipe": {"learning_rate": "1e-3"}}, "recipe.learning_rate is '1e-3'"),
        ({"recipe": {"scheduler": "; rm -rf /"}}, "recipe.scheduler is '; rm -rf /'. Use one of"),
        ({"recipe": {"target": "q_proj,$(id)"}}, "is no module name"),
        ({"recipe": {"micro_batch": 32}}, "recipe.micro_batch is 32, larger than"),
        ({"recipe": {"preset": "best"}}, "recipe.preset is 'best', which is unknown"),
        ({"recipe": []}, "recipe must be a JSON object"),
        ({"base_model": "-x"}, "base_model is '-x'"),
        ({"base_model": "../secret"}, "base_model is '../secret'"),
        ({"base_model": "owner/model;id"}, "not a hub name"),
        ({"base_model": "owner/model\nid"}, "base_model is 'owner/model\\nid'"),
        ({"base_model": ""}, "base_model is missing"),
        ({"output_dir": "runs/../../etc"}, "without '..'"),
        ({"output_dir": "--help"}, "no leading '-'"),
        ({"dataset": 5}, "dataset is 5"),
        ({"dataset_sha256": "abc"}, "64 hexadecimal digits"),
        ({"sample_prompts": [["hello"]]}, "a message must be"),
        ({"sample_prompts": [[{"role": "robot", "content": "x"}]]}, "role 'robot'"),
        ({"resume": "yes"}, "resume is 'yes'"),
    ],
)
def test_what_must_not_work_is_refused_with_its_name_and_value(tmp_path, changes, says):
    with pytest.raises(ConfigError) as caught:
        TrainingConfig.from_dict(config(tmp_path, **changes))
    assert says in caught.value.reason


def test_a_configuration_that_is_no_json_says_so(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        TrainingConfig.load(path)
    with pytest.raises(ConfigError, match="Cannot read"):
        TrainingConfig.load(tmp_path / "absent.json")


def test_a_hub_name_is_accepted_without_a_folder(tmp_path):
    made = TrainingConfig.from_dict(config(tmp_path, base_model="Qwen/Qwen2.5-0.5B"))
    assert not made.model_is_folder


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_keeps_the_rules_and_can_be_overridden(name):
    recipe = Recipe.from_dict({"preset": name, "seed": 7})
    assert recipe.seed == 7
    assert recipe.rank == PRESETS[name].recipe.rank
    assert PRESETS[name].sentence.endswith(".")
    json.dumps(recipe.__dict__)


@pytest.mark.parametrize(
    ("batch", "micro", "processes", "split"),
    [
        (16, 0, 1, (16, 1)),
        (16, 4, 1, (4, 4)),
        (16, 0, 4, (4, 1)),
        (16, 2, 4, (2, 2)),
        (16, 8, 4, (4, 1)),
    ],
)
def test_the_effective_batch_stays_when_processes_change(batch, micro, processes, split):
    recipe = Recipe(batch_size=batch, micro_batch=micro)
    assert recipe.split_batch(processes) == split
    assert split[0] * split[1] * processes == batch


def test_a_batch_that_cannot_be_split_evenly_is_refused():
    with pytest.raises(ConfigError, match="cannot be split over 3 processes"):
        Recipe(batch_size=16).split_batch(3)
    with pytest.raises(ConfigError, match="does not divide"):
        Recipe(batch_size=16, micro_batch=3).split_batch(1)
