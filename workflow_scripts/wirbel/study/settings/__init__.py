"""The run's settings, checked, and the plan that is made from them."""
