"""One vertebra at a time: bodies, cut-outs around them, and one instance from up to three predictions."""
