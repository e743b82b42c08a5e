"""Read references that results are compared with, and the public SPIDER data set as it is downloaded."""
