"""The instance network: its architecture, reading its weights, computing cut-outs, training."""
