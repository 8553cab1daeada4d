"""Assembly: the one place that knows every domain."""
