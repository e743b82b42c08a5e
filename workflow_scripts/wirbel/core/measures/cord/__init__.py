"""Canal and cord: cross-sections along them, the narrowest places, compression, the conus."""
