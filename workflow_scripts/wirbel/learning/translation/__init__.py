"""Translation of MR images to computed tomography: settings, pairs, network, training."""
