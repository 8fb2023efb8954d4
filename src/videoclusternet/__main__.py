"""``python -m videoclusternet`` is ``vcn``."""

from videoclusternet.cli.loading import listen


def run() -> None:
    """Run the command ``vcn`` as a process of its own; a key may stop it as it is loaded."""
    listen()
    from videoclusternet.cli.main import run as begin

    begin()


if __name__ == "__main__":
    run()
