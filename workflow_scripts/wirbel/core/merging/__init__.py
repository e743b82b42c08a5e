"""Both networks' answers become the two final label maps, which agree voxel by voxel."""
