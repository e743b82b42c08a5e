"""The tables and pictures of an evaluation, as papers have them."""
