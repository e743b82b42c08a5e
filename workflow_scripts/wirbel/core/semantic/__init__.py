"""After the semantic network: its label map is cleaned before anything is counted or measured."""
