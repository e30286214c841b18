"""Worlds whose calls are known by their ids, or by start, numbers and duration."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from cdr.models import Leg, LegKind, Source
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import IMPORT_AT, Call, import_lines

LATER = IMPORT_AT + timedelta(days=2)
BY_BOTH = pytest.mark.parametrize(
    "switch", [Source.Format.FREESWITCH_CSV, Source.Format.ASTERISK_CSV]
)
"""Calls of FreeSWITCH are known by their ids; those of Asterisk, here, by start and numbers."""


def world_of(switch: Source.Format) -> World:
    """The world with a switch of that kind."""
    world = make_world()
    world.source.format = switch
    world.source.save()
    return world


@dataclass(frozen=True, kw_only=True)
class Nameless(Call):
    """A call as Asterisk writes it without its unique id."""

    @property
    def line(self) -> str:
        fields = super().line.replace('"', "").split(",")
        _, caller, to, context, start, answer, end, duration, billed, *_, account, _, _ = fields
        texts = (account, caller, to, context, caller, "PJSIP/acme-00000a1f", "", "Dial", "")
        quoted = ",".join(f'"{text}"' for text in (*texts, start, answer, end))
        return f'{quoted},{duration},{billed},"ANSWERED","DOCUMENTATION"'


def call_of(world: World, **fields: Any) -> Call:
    """A call as the switch of the world writes it."""
    kind = Call if world.source.format == Source.Format.FREESWITCH_CSV else Nameless
    return kind(**fields)


def charged() -> int:
    """How often a customer pays."""
    return Leg.objects.filter(kind=LegKind.CUSTOMER).count()


def comes_again(world: World, line: Call | str) -> int:
    """How many duplicates there are in a later file of the line, at a time when it can be true."""
    file = import_lines(world.source, [line, "# another file"], at=LATER)
    return file.chunks.get().duplicate_count
