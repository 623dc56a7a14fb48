"""The studies that come with armonica, one TOML file a figure; `experiments.study` reads them."""
