"""The data set at a start: scans, people and reviews, and what has changed since last time."""
