"""What happens in the main process: settings and inputs are checked, and people are told, before any job starts."""
