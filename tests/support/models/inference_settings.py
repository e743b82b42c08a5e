"""Settings of a model folder, as small as `inference_config.json` may be; tests change what they are about."""

SETTINGS = {
    "log_name": "test",
    "modality": ["T2w"],
    "acquisition": "sag",
    "modeltype": "nnunet",
    "model_expected_orientation": ["P", "I", "R"],
    "available_folds": 1,
    "inference_augmentation": False,
    "resolution_range": [1.0, 1.0, 3.0],
    "default_step_size": 0.5,
    "labels": {"1": 26, "2": 41},
}
