"""Records of a batch's scans: lists, manifests with their seals, keys and receipts."""
