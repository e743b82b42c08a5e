"""Whether the result of a scan, as a whole, can be a spine: flags first, a failure where nothing can be right."""
