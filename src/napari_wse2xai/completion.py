"""What a shell completes of the command line, read off its parser."""

import argparse
from collections.abc import Iterator
from typing import Any

from napari_wse2xai.console import say

SHELLS = ("bash", "zsh")
_SCRIPT = """\
{first}_napari_wse2xai() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" at="" each known=""
    for each in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
        case "$at/$each" in {commands}) at="$at/$each" ;; esac
    done
    case "$at $before" in
{values}
    *) case "$at" in
{words}
    esac ;;
    esac
    COMPREPLY=($(compgen -W "$known" -- "$word"))
}}
complete -o bashdefault -o default -F _napari_wse2xai {program}
"""


def add_completion(commands: Any, program: argparse.ArgumentParser) -> None:
    """Add the command that prints a shell's script."""
    text = "prints what a shell needs to complete commands, options and presets: save it where your shell looks for such files"
    command = commands.add_parser("completion", help=text, description=text)
    command.add_argument("shell", choices=SHELLS, help="the shell; names of files it completes by itself")
    command.set_defaults(command=lambda options: say(script(program, options.shell)))


def script(program: argparse.ArgumentParser, shell: str) -> str:
    """Script of a shell for a program and its commands; zsh takes bash's."""
    parsers = dict(_parsers(program, ""))
    values = [line for at, parser in parsers.items() for line in _values(at, parser)]
    return _SCRIPT.format(
        first="autoload -Uz compinit bashcompinit && compinit && bashcompinit\n" if shell == "zsh" else "",
        commands="|".join(f'"{at}"' for at in parsers if at),
        values="\n".join(values),
        words="\n".join(_words(at, parser) for at, parser in parsers.items()),
        program=program.prog,
    )


def _parsers(parser: argparse.ArgumentParser, at: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """A parser and those of its commands, by the way there."""
    yield at, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _parsers(below, f"{at}/{name}")


def _words(at: str, parser: argparse.ArgumentParser) -> str:
    """Line that says what may stand anywhere: options where one is begun, so that elsewhere files are offered, and commands."""
    options = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    others = [word for action in parser._actions if not action.option_strings for word in _known(action)]
    return f'    "{at}") known="{" ".join(others)}"; [[ $word == -* ]] && known="{" ".join(options)}" ;;'


def _values(at: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """Lines that say what comes behind an option."""
    for action in parser._actions:
        for option in action.option_strings:
            if known := list(_known(action)):
                yield f'    "{at} {option}") known="{" ".join(known)}" ;;'
            elif action.nargs != 0:
                yield f'    "{at} {option}") ;;'


def _known(action: argparse.Action) -> Iterator[str]:
    """Words that an argument may be; what has a blank in it is left to be typed."""
    yield from (word for word in map(str, action.choices or ()) if " " not in word)
    if action.dest == "preset":
        from napari_wse2xai.recipe import preset_names

        yield from ("list", *preset_names())
    if action.dest == "explain":
        from napari_wse2xai.stages import TABLE

        yield from (step.key for step in TABLE)
