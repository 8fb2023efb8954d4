"""``python -m videoclusternet`` is ``vcn``."""

from videoclusternet.cli.main import main

if __name__ == "__main__":
    main()
