# For any POSIX make. `make audit` and `make test` each work first and alone, on a machine with Python 3.11 or later and make.
# Choose the Python with `make PYTHON=/path/to/python3 audit`. Nothing outside this folder is written, and no target wants root;
# root sees more of the host (README.md says what).

.POSIX:
.NOTPARALLEL:
.PHONY: audit test lint bench mutants pictures clean

# Audit this host with the default policy. Succeeds whenever a report was written: 0, 1 and 3 are verdicts.
audit:
	@PYTHON='$(PYTHON)' sh .ci/venv
	@before=$$(ls reports); code=0; .venv/bin/port-auditor audit -o reports || code=$$?; \
	case $$code in \
	0) verdict='pass, nothing open' ;; \
	1) verdict='fail, open findings' ;; \
	3) verdict='incomplete, something could not be seen' ;; \
	*) exit $$code ;; \
	esac; \
	if [ "$$before" = "$$(ls reports)" ]; then echo "make audit: port-auditor wrote no report" >&2; exit 70; fi; \
	echo "make audit: $$verdict: $$(pwd)/$$(ls -t reports/*.html | head -n 1)"

# The whole suite, in a process for each processor, four at most. -B and no caches: root testing or linting in a user's clone leaves nothing
# that the user cannot write.
test:
	@PYTHON='$(PYTHON)' sh .ci/venv test
	@.venv/bin/python -B -m pytest -n logical --maxprocesses 4

lint:
	@PYTHON='$(PYTHON)' sh .ci/venv lint
	@.venv/bin/python -m ruff check --no-cache .
	@.venv/bin/python -m ruff format --no-cache --check .
	@.venv/bin/python -m mypy --cache-dir=/dev/null

# Speed, as a ratio to `ss -H -tulnp` in the same run.
bench:
	@PYTHON='$(PYTHON)' sh .ci/venv test
	@.venv/bin/python tests/bench.py

# The pictures in README.md; needs Chromium.
pictures:
	@PYTHON='$(PYTHON)' sh .ci/venv test,browser
	@.venv/bin/python -B tests/pictures.py

# How many small changes to what judges the tests notice; works in a copy, for half an hour, and fails below 85 %.
mutants:
	@PYTHON='$(PYTHON)' sh .ci/venv mutants
	@.venv/bin/python -B tests/mutants.py

# What was made, except reports: those are yours.
clean:
	rm -rf .venv build dist
	find auditor tests -name __pycache__ -type d -prune -exec rm -rf {} +
