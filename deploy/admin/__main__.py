"""`python -m deploy.admin` is `keyturn-server`."""

from deploy.admin.app import main

if __name__ == "__main__":
    main()
