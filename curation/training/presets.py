"""The training presets' names and sentences for forms. Their figures live with the trainer
(`workers/training/presets`), which a test holds against these names."""

PRESETS = {
    "demo": "for the demonstration's tiny student: minutes on a laptop",
    "small": "for students of up to 200 million weights, on a CPU or a small GPU",
    "qwen-0.5b": "for Qwen2.5 0.5B, on a GPU of 8 GB or more",
    "8b": "for students of 7 to 8 billion weights, on a GPU of 40 GB or more",
}
