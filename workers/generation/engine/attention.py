"""Attention of one new token, without copying keys and values for grouped query heads.

transformers repeats each key and value head for every query head of its group, which copies the
whole cache at every step (grouped-query attention, Ainslie et al., arXiv 2305.13245). With one
new token the heads of a group can stand where query positions stand instead: the result is the
same, and nothing is copied.
"""

from __future__ import annotations

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "chainwright_grouped"


def grouped_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **kwargs,
) -> tuple[torch.Tensor, None]:
    """As transformers' "sdpa"; query (rows, heads, new, size), key (rows, groups, all, size)."""
    rows, heads, new, size = query.shape
    groups = key.shape[1]
    if new > 1 or heads == groups or kwargs.get("position_bias") is not None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    output = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(rows, groups, heads // groups, size),
        key,
        value,
        attn_mask=attention_mask,
        scale=kwargs.get("scaling"),
    )
    return output.reshape(rows, 1, heads, value.shape[-1]), None


def use_grouped_attention(model: PreTrainedModel) -> bool:
    """Switch a model that uses sdpa to ``grouped_attention``; says whether it did."""
    if model.config._attn_implementation != "sdpa":
        return False
    AttentionInterface.register(NAME, grouped_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return model.config._attn_implementation == NAME
