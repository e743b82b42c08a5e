"""What a scan's panel in the QC report shows: views through the spine, and where measured lines lie in them."""
