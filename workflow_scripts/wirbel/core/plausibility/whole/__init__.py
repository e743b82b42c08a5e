"""Check whether a scan's result as a whole can be a spine: flags first, and a failure if nothing can
be right.
"""
