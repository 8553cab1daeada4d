"""What machines do: models that plug in, rules that route studies to them."""
