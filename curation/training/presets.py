"""The training presets' names and sentences for forms. Their figures live with the trainer
(`workers/training/presets`), which a test holds against these names."""

PRESETS = {
    "demo": "for the demonstration's tiny student: minutes on a laptop",
    "small": "for students of 0.1 to 1 billion parameters",
    "large": "for students of 1 to 8 billion parameters, one GPU",
}
