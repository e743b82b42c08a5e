"""The course of the spine: angles, curves in both planes, landmarks and slips."""
