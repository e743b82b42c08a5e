"""The labelling network of published models: architecture and reading its weights."""
