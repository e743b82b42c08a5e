"""The plan: everything that decides the results of every stage, written once by the main process and
read by jobs.
"""
