"""Pictures of scans and label maps as arrays; nothing is written here."""
