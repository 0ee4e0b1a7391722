"""One operating system a module, each with one `COLLECTOR`; modules whose names begin with an underscore serve them."""
