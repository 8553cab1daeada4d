"""What people do: choose what to read, read it, report it."""
