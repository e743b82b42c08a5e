"""A hash over the code that decides a result, from its source without its words."""
