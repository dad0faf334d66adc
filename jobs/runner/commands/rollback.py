"""`vertune rollback`."""

import click

from jobs.runner.commands import Place
from jobs.runner.commands.promote import finish, mark_of, move_options


@click.command("rollback")
@move_options
@click.pass_obj
def command(
    place: Place, name: str, fingerprint: str | None, below_mark: bool, output: str
) -> None:
    """Serve what NAME served before: FINGERPRINT, or the newest before what is served.

    What is taken back is not served by the next apply; `vertune promote` ends that.

    Example: vertune rollback headlines
    """
    from jobs.runner import pointer

    recorded = place.ledger.recorded()
    mark = None if below_mark else mark_of(place, name)
    move = pointer.rollback(recorded, name, fingerprint, mark)
    pointer.carry_out(move, recorded, place.ledger, place.registry)
    finish(place, move, output)
