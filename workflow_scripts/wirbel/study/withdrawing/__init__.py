"""People who withdrew their consent: nothing of them stays in the output folder, and no entry names them."""
