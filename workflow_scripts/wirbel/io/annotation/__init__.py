"""Settings, inputs and outputs of the fusion of annotations."""
