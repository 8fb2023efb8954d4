"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only errors.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines on stderr.")]
