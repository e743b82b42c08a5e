"""Stations of one session, such as neck, chest and low back, put together to one scan."""
