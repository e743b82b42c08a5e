"""Arrays with their affine in, arrays or dataclasses out; no files, no torch, no configuration."""
