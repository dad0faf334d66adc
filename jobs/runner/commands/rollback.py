"""`vertune rollback`."""

import click

from jobs.runner.commands import Place, output_option
from jobs.runner.commands.promote import finish, mark_of


@click.command("rollback")
@click.argument("name")
@click.argument("fingerprint", required=False)
@click.option("--below-mark", is_flag=True, help="Serve it whatever its score and the spec say.")
@output_option
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
