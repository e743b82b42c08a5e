"""What a training leaves behind: model folders in both formats, curves, and a model card."""
