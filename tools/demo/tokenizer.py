"""The tokenizer of the demo models: byte-level BPE, one token a digit, with the chat template."""

from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tools.demo import corpus
from tools.demo.corpus import ASSISTANT, END, PAD, USER

VOCABULARY = 880
# Words, single digits and runs of other signs, each with the space before it; then white space.
_PARTS = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+"

# Turns that are not the assistant's are the user's: the models know no system turn.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{{- '" + ASSISTANT + "' -}}"
    "{% generation %}{{- message['content'] + '" + END + "' -}}{% endgeneration %}"
    "{%- else -%}{{- '" + USER + "' + message['content'] -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '" + ASSISTANT + "' -}}{%- endif -%}"
)


def build_tokenizer(seed: int = 3) -> PreTrainedTokenizerFast:
    """Train the tokenizer on a seeded sample of the pre-training corpus (a second or two)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PARTS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, END, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )


def _texts(seed: int, count: int = 6000):
    rng = Random(f"chainwright demo tokenizer {seed}")
    mix = (
        (6.0, corpus.rationales(wordy=0.4, no_answer=0.0, slips=0.0)),
        (1.0, corpus.facts),
        (1.0, corpus.bare_rationale),
        (2.0, corpus.next_step),
    )
    for _ in range(count):
        for text, _learn in corpus.draw_from(rng, mix):
            for mark in (USER, ASSISTANT, END):
                text = text.replace(mark, "\n")
            yield text
