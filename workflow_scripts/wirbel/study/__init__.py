"""What happens in the main process: settings and inputs are checked, the plan is made, and users are
informed.
"""
