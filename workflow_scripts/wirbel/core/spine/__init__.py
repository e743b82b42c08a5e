"""Which vertebral bodies a label map shows, and at which levels: one decision over the whole spine."""
