"""The semantic network: reading its weights, computing a scan's structures, training."""
