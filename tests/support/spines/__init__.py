"""Label maps of spines made of simple shapes, whose measures are known."""
