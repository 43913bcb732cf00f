"""A Typer command that prints one rich table: the least that a command line of this kind costs."""

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(add_completion=False)


@app.command()
def hello(name: str = "world") -> None:
    """Print a greeting."""
    table = Table("greeting", "name")
    table.add_row("hello", name)
    Console().print(table)


if __name__ == "__main__":
    app()
