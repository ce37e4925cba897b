"""The `rig` command."""


def main() -> None:
    """Run the command line."""
