"""A dataset as a folder of the Hugging Face kind: data, card, manifest, Croissant metadata."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from curation.datasets.exports.files import Member, stored
from curation.datasets.formats import has_rejected, thoughts_field
from curation.datasets.gates.runs import passed
from curation.datasets.models import DatasetVersion
from curation.datasets.parquet import PLAIN

DATA = "data/train-00000-of-00001.parquet"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def members(version: DatasetVersion) -> Iterator[Member]:
    yield "README.md", lambda: iter([readme(version).encode()])
    yield "manifest.json", lambda: iter([_json(manifest(version))])
    yield "croissant.json", lambda: iter([_json(croissant(version))])
    yield DATA, lambda: stored(version, "parquet")
    if has_rejected(version):
        yield "rejected.jsonl", lambda: stored(version, "rejected")


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def manifest(version: DatasetVersion) -> dict[str, Any]:
    """What the dataset is and how it was made, for programs."""
    project = version.project
    return {
        "project": project.slug,
        "number": version.number,
        "sha256_of_jsonl": version.sha256,
        "examples": version.example_count,
        "questions": version.question_count,
        "recipe": version.recipe,
        "funnel": version.funnel,
        "look": passed(version.gates) if version.gates else None,
        "frozen_at": version.finished_at.isoformat(),
        "guidelines": project.guidelines,
    }


def readme(version: DatasetVersion) -> str:
    """The card, with the head that the Hub and `load_dataset` read."""
    size = next((name for most, name in SIZES if version.example_count < most), "n>1M")
    head = (
        f"---\npretty_name: {json.dumps(f'{version.project.name}, dataset {version.number}')}\n"
        "task_categories:\n- text-generation\ntags:\n- chain-of-thought\n- synthetic\n- chainwright\n"
        f"size_categories:\n- {size}\n"
        f"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {DATA}\n---\n\n"
    )
    return head + version.card + USE + LIMITS


USE = """
## Use

```python
from datasets import load_dataset
rows = load_dataset("PATH_TO_THIS_FOLDER", split="train")
print(rows[0]["prompt"], rows[0]["completion"], rows[0]["approved_by"])
```

`approved_by` names who or what approved an example, `teacher` or `author` who wrote it, `question_id` the
question as it was imported. `manifest.json` has the recipe; `rejected.jsonl` says what was left out and why;
`sha256sum -c checksums.sha256` checks the files.
"""
LIMITS = """
## What to know

The reasoning was written by models unless `author` names a person. That an answer is right does not say that
each step is; people or a rule approved the examples, as `approved_by` says. Licences of questions and of the
teachers' outputs are for you to check.
"""


def croissant(version: DatasetVersion) -> dict[str, Any]:
    """Croissant 1.0 metadata (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""
    name = f"{version.project.slug}-{version.number}"
    columns = [("prompt", None), ("completion", None), *PLAIN]
    more = thoughts_field(version)
    fields = []
    for column, kind in columns:
        if kind is None:
            inner = ("role", "content", *((more,) if more and column == "completion" else ()))
            fields.append(
                {
                    "@type": "cr:Field",
                    "@id": f"examples/{column}",
                    "name": f"examples/{column}",
                    "repeated": True,
                    "subField": [
                        {
                            **_field(f"examples/{column}/{one}", "sc:Text", column),
                            "source": {
                                "fileObject": {"@id": "train"},
                                "extract": {"column": column},
                                "transform": {"jsonPath": one},
                            },
                        }
                        for one in inner
                    ],
                }
            )
        else:
            is_number = pa.types.is_floating(kind)
            fields.append(
                _field(f"examples/{column}", "sc:Float" if is_number else "sc:Text", column)
            )
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": version.card,
        "version": f"{version.number}.0.0",
        "datePublished": version.finished_at.date().isoformat(),
        "isLiveDataset": False,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "train",
                "name": "train",
                "contentUrl": DATA,
                "encodingFormat": "application/x-parquet",
                "sha256": _sha256(version),
            }
        ],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "examples", "name": "examples", "field": fields}
        ],
    }


def _field(name: str, kind: str, column: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "dataType": kind,
        "source": {"fileObject": {"@id": "train"}, "extract": {"column": column}},
    }


def _sha256(version: DatasetVersion) -> str:
    import hashlib

    digest = hashlib.sha256()
    for part in stored(version, "parquet"):
        digest.update(part)
    return digest.hexdigest()


_CR = (
    "citeAs column conformsTo data dataType examples extract field fileProperty fileObject fileSet format "
    "includes isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "separator source subField transform"
).split()
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{name: f"cr:{name}" for name in _CR},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
