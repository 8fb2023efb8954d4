"""``python -m videoclusternet`` is ``vcn``."""

from videoclusternet.cli.main import run

if __name__ == "__main__":
    run()
