"""`onenumbers`: the entry point of the command line. What a command needs is imported when it runs."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from onenumbers_cli.errors import EXIT_HELP, CommandError, Exit
from onenumbers_cli.models import models_app

app = typer.Typer(
    name="onenumbers",
    help="Runs 1Numbers Mesh on this machine, and calls it.",
    epilog=EXIT_HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")

Target = Annotated[
    str | None,
    typer.Option("--target", metavar="HOST:PORT", help="The mesh to call (default: where `onenumbers up` listens)."),
]
TokenFile = Annotated[
    Path | None, typer.Option(help="File with the mesh's token (MCP_AUTH_TOKEN_FILE; MCP_AUTH_TOKEN holds it itself).")
]
Timeout = Annotated[float, typer.Option("--timeout", min=0.001, help="Seconds to wait for the answer.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"onenumbers {version('onenumbers-mesh')}")
        raise typer.Exit


@app.callback()
def _common(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Runs 1Numbers Mesh on this machine, and calls it."""


@app.command()
def up(
    host: Annotated[
        str | None, typer.Option(help="Address that the mesh listens on (MCP_EDGE_HOST, default 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port that the mesh listens on (MCP_EDGE_PORT, default 8000).")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of documents, models and logs (MCP_DATA_DIR, default ~/.local/share/onenumbers)."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Server to start: research, knowledge or utilities. May be repeated.")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="Server not to start. May be repeated.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the logs of all processes as they grow.")] = False,
) -> None:
    """Runs the whole mesh until Ctrl-C: Redis, the three servers, the gateway and the edge.

    Everything listens on 127.0.0.1 unless --host says otherwise, and then only with a token (MCP_AUTH_TOKEN_FILE).
    A process that dies is started again; Ctrl-C ends everything within 10 seconds.
    """
    from onenumbers_cli.up import chosen
    from onenumbers_cli.up import up as run

    run(host=host, port=port, data_dir=data_dir, servers=chosen(only or (), without or ()), verbose=verbose)


@app.command()
def tools(
    query: Annotated[list[str] | None, typer.Argument(help="Words to look for; all tools when left out.")] = None,
    server: Annotated[str, typer.Option(help="Only tools of this server.")] = "",
    target: Target = None,
    token_file: TokenFile = None,
    timeout: Timeout = 10.0,
    as_json: Json = False,
) -> None:
    """Lists the tools of the mesh, or those that fit some words.

    Example: onenumbers tools life path
    """
    from onenumbers_cli.client import connection
    from onenumbers_cli.commands import list_tools

    list_tools(query=" ".join(query or ()), server=server, to=connection(target, timeout, token_file), as_json=as_json)


@app.command()
def call(
    name: Annotated[str, typer.Argument(help="Name of the tool, such as calculate_life_path.")],
    arguments: Annotated[
        str, typer.Argument(metavar="[JSON]", help="Arguments as a JSON object; @FILE reads a file, - standard input.")
    ] = "{}",
    target: Target = None,
    token_file: TokenFile = None,
    timeout: Timeout = 60.0,
    as_json: Json = False,
) -> None:
    """Calls a tool and prints its result.

    Example: onenumbers call calculate_life_path '{"day": 14, "month": 11, "year": 1968}'
    """
    from onenumbers_cli.client import connection
    from onenumbers_cli.commands import call_tool

    call_tool(name=name, arguments=arguments, to=connection(target, timeout, token_file), as_json=as_json)


@app.command()
def calculate(
    source: Annotated[
        str,
        typer.Option(
            "--input",
            metavar="FILE",
            help="People: .csv or .jsonl with name, day, month, year (or birth_date), and id and transliteration "
            "if wanted; - reads CSV.",
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Results: .csv, .jsonl or .parquet; - writes CSV.")
    ] = "-",
    as_of: Annotated[str, typer.Option("--as-of", metavar="YYYY-MM-DD", help="Also the cycles on this date.")] = "",
    transliteration: Annotated[
        str,
        typer.Option(
            metavar="STANDARD",
            help="Standard for names of another script, such as UKRAINIAN_2010, in rows that name none of their own.",
        ),
    ] = "",
    letter_policy: Annotated[
        str, typer.Option(metavar="POLICY", help="How letters with marks become A-Z: DIRECT or DE_EXPANDED.")
    ] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Whole profiles with their sums, as JSON lines.")] = False,
    target: Target = None,
    token_file: TokenFile = None,
    timeout: Timeout = 3600.0,
    as_json: Json = False,
) -> None:
    """Calculates the profiles of a table of people, of any length. A row with an error does not stop the others.

    Example: onenumbers calculate --input people.csv --output profiles.parquet
    """
    from onenumbers_cli.calculate import NameOptions, calculate_people
    from onenumbers_cli.client import connection

    calculate_people(
        source=source,
        output=output,
        as_of=as_of,
        names=NameOptions(transliteration, letter_policy),
        whole=whole,
        to=connection(target, timeout, token_file),
        as_json=as_json,
    )


@app.command()
def health(target: Target = None, token_file: TokenFile = None, timeout: Timeout = 5.0, as_json: Json = False) -> None:
    """Shows the health of each server; the exit status is 0 only when all of them serve."""
    from onenumbers_cli.client import connection
    from onenumbers_cli.commands import show_health

    show_health(to=connection(target, timeout, token_file), as_json=as_json)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders of them, and patterns.")],
    category: Annotated[
        str | None,
        typer.Option(
            help="calculation, interpretation, compatibility, cycles, utility or validation; for all documents "
            "(default: what a file says itself, else interpretation)."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="classical, modern, mystical or scientific; for all documents "
            "(default: what a file says itself, else modern)."
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Kept with every document. May be repeated.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Column of a table that holds the id, title, content, category or source. May be repeated.",
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder from which the paths of files count (default: the present one).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read the files; send nothing.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell of each file as it is done.")] = False,
    target: Target = None,
    token_file: TokenFile = None,
    timeout: Timeout = 120.0,
    as_json: Json = False,
) -> None:
    """Adds documents to the knowledge base: text, Markdown, HTML, PDF, DOCX, CSV and JSON.

    What has not changed since the last time is left as it is; after an interruption it goes on from there.

    Example: onenumbers ingest notes/ --category calculation
    """
    from onenumbers_cli.client import connection
    from onenumbers_cli.ingest import ingest_paths, parse_columns, parse_pairs

    ingest_paths(
        paths=paths,
        category=category,
        source=source,
        metadata=parse_pairs(metadata or [], "--metadata"),
        columns=parse_columns(column or []),
        root=root,
        dry_run=dry_run,
        verbose=verbose,
        to=connection(target, timeout, token_file),
        as_json=as_json,
    )


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in words.")],
    passages: Annotated[int, typer.Option(min=1, max=10, help="Passages to read.")] = 4,
    extractive: Annotated[bool, typer.Option("--extractive", help="Cite passages only; no model writes.")] = False,
    target: Target = None,
    token_file: TokenFile = None,
    timeout: Timeout = 300.0,
    as_json: Json = False,
) -> None:
    """Answers a question from the knowledge base, with the passages that support each sentence.

    Example: onenumbers ask "What is a karmic debt number?"
    """
    from onenumbers_cli.ask import ask_question
    from onenumbers_cli.client import connection

    ask_question(
        question=question,
        passages=passages,
        extractive=extractive,
        to=connection(target, timeout, token_file),
        as_json=as_json,
    )


def main() -> None:
    """Runs the command line and ends the process with its exit status."""
    try:
        status = app(standalone_mode=False)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.status)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        usage = _usage(error)
        if usage is None:
            raise
        sys.stderr.write(f"{usage}\n")
        sys.exit(Exit.USAGE)
    sys.exit(status if isinstance(status, int) else 0)


def _usage(error: Exception) -> str | None:
    """Returns the line for a wrong command line; None where the error is another."""
    message = getattr(error, "format_message", None)
    if message is None:
        return None
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "onenumbers"
    return f"{message()} Try `{command} --help`."


if __name__ == "__main__":
    main()
