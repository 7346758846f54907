"""How long corslint takes beside other tools, and what its time grows with: `make bench` writes docs/benchmarks.md."""
