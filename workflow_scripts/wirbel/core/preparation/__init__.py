"""From a scan as stored to the image that a network is given."""
