"""How well the networks agree with themselves: votes for each vertebra, margins of each structure."""
