"""Networks, inference and training: the only package that imports torch and nnunetv2."""
