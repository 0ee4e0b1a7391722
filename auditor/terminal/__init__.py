"""A report in the cells of a terminal: what the `text` format is made of."""
