"""What is on record about a batch's scans: lists, manifests, their seals, keys and receipts."""
