"""The command `prove trace`: a repository made ready for `--benchmark leandojo`."""

from __future__ import annotations

from typing import Annotated

import typer


def trace(
    repo: Annotated[
        str, typer.Argument(metavar="URL@COMMIT", help="The repository, or its folder on this machine, and the commit.")
    ],
) -> None:
    """Trace a Lean repository with LeanDojo, so that its theorems can be proved in Dojo.

    Needs the extra leandojo, elan (lake and lean), git, the network, and for Mathlib 32 GiB of memory and hours. The
    trace is kept in LeanDojo's cache (CACHE_DIR) and made once. Says how far it is on stderr, and prints the folder.
    """
    from lean_env.leandojo.repository import Repository
    from lean_env.leandojo.tracing import trace as run

    try:
        folder = run(Repository.parse(repo), lambda text: typer.echo(text, err=True))
    except KeyboardInterrupt:
        typer.echo("prove: stopped; nothing is kept of a trace that is not finished", err=True)
        raise typer.Exit(130) from None
    typer.echo(folder)
