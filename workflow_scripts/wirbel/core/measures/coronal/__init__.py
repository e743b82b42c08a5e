"""The spine seen from the front: curves, their side and their apex."""
