"""Built-in probes: they touch this host, and give text. They import nothing of the model."""
