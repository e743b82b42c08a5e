"""The pages that people look at: static files that open from the disk, without a server and without internet."""
