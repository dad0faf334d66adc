"""`vertune plan`."""

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.reconcile import reconcile


@click.command("plan")
@select_option
@output_option
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 3 if there is anything to do, else 0."
)
@click.pass_obj
def command(place: Place, select: tuple[str, ...], output: str, detailed_exitcode: bool) -> None:
    """Show what apply would do, why and for how much; change nothing.

    Example: vertune --stack dev plan --select headlines
    """
    plan = reconcile(place.resolve(select), place.ledger.recorded(), select).plan
    if output == "json":
        click.echo(report.dumps(report.plan_json(plan, place.name, place.settings)))
    elif output == "markdown":
        click.echo(report.plan_markdown(plan, place.name, place.settings))
    else:
        click.echo(report.plan_text(plan, place.name, place.settings))
    if detailed_exitcode and plan:
        click.get_current_context().exit(3)
