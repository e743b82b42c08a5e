"""Model folders and servers for them: tiny, published, damaged."""
