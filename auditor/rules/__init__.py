"""One rule a module, each with one `RULE`; the module's name is the rule's, its docstring the rule's document."""
