"""Tables computed from the tables of measures: scores, and changes between sessions."""
