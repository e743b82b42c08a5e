"""JavaScript and style sheets made by others, unchanged; README.md lists them."""
