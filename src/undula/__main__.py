"""`python -m undula` is `undula`."""

from .cli import main

if __name__ == "__main__":
    main()
