"""Protection: what `pulumi destroy` comes to first, and is refused at; it makes nothing itself."""

from collections.abc import Sequence

import pulumi


class Protection(pulumi.ComponentResource):
    """Depends on all the rest: with the bucket alone protected, its grants would go before it."""

    def __init__(self, name: str, protect: bool, rest: Sequence[pulumi.Resource]) -> None:
        opts = pulumi.ResourceOptions(depends_on=rest, protect=protect)
        super().__init__("vertune:infra:Protection", name, None, opts)
        self.register_outputs({})
