"""The only place that reads or writes files. Every write is atomic, and the same content gives the
same bytes.
"""
