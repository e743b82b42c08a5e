"""Join the stations of one session, such as neck, chest and low back, into one scan."""
