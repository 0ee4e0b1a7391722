"""One format a module, each with one `REPORTER`."""
