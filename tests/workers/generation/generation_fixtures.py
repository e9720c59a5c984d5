"""Tiny random models for the tests of generation: real tokenizers, real weights, no download.

The weights are random, so the text is noise; it ends after about fifty tokens because a few
dozen of the vocabulary's tokens count as end tokens.
"""

from __future__ import annotations

from pathlib import Path

from workers.generation.types import Request

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
WORDS = (
    "Tom has some apples and buys more at the shop for a price each day then he gives half of "
    "them to his sister how many does he have left in total after the week Step Answer so"
)


def make_tokenizer(folder: Path):
    """A byte-level BPE tokenizer with four special tokens and a chat template, saved."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS, *WORDS.split()], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>"
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    return fast


def make_llama(
    folder: Path,
    *,
    vocab: int = 900,
    hidden: int = 32,
    layers: int = 2,
    ffn: int = 64,
    context: int = 512,
    ends: int = 18,
    seed: int = 0,
):
    """A random Llama with its tokenizer in ``folder``; ``ends`` of its tokens end a text."""
    from transformers import LlamaConfig

    make_tokenizer(folder)
    config = LlamaConfig(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        eos_token_id=[0, *range(vocab - ends + 1, vocab)],
        tie_word_embeddings=True,
    )
    return make_model(config, folder, seed=seed)


def make_model(config, folder: Path, *, seed: int = 0):
    """A random model of any causal architecture, saved as safetensors beside its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).float()
    # Larger weights than usual, so that what stands in the prompt changes what comes out.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)
    model.generation_config.eos_token_id = config.eos_token_id
    model.save_pretrained(folder)
    return model


def make_requests(count: int, temperatures=(0.0, 0.7, 1.0), max_tokens: int = 80) -> list[Request]:
    """Requests of different lengths, some with the same prompt, some with top_p."""
    return [
        Request(
            id=f"r{n}",
            messages=(
                {"role": "user", "content": f"Tom has {n // 3} apples. " * (1 + n // 3 % 4)},
            ),
            temperature=temperatures[n % len(temperatures)],
            top_p=0.9 if n % 5 == 0 else 1.0,
            seed=n,
            max_tokens=max_tokens if n % 7 else 5,
        )
        for n in range(count)
    ]
