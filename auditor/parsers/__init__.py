"""One command's output a module: text -> (values, gaps). Total: they never raise, never guess, never drop a line silently."""
