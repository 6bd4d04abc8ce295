"""`python -m libs.cli`."""

from libs.cli.app import main

if __name__ == "__main__":
    main()
