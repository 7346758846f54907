"""`python -m corslint`."""

from corslint.cli import main

if __name__ == "__main__":
    main()
