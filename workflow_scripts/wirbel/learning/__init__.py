"""Networks, inference and training: the only part of the package that imports torch and nnunetv2."""
