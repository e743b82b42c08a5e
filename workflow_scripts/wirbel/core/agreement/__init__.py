"""How well the networks agree about each structure: votes for a vertebra, margins of the segmentation."""
