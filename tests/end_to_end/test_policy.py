"""Policy: `vertune doctor --policy` asks the engine what the program would make."""

import json

from tests.end_to_end.world import World

PUBLIC = """
from pulumi_gcp import storage as _storage

_storage.BucketIAMMember(
    "everyone", bucket=tuning.bucket.name, role="roles/storage.objectViewer", member="allUsers"
)
"""


def test_the_program_is_held_to_what_must_never_be_before_it_is_carried_out(world: World) -> None:
    world.start()
    world.done("pulumi", "stack", "select", "local", "--create")
    assert "resources hold to the policy." in world.done("vertune", "doctor", "--policy")

    program = world.repository.root / "infra" / "__main__.py"
    program.write_text(program.read_text("utf-8") + PUBLIC, "utf-8")
    ran = world.run("vertune", "doctor", "--policy", "-o", "json")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    assert found["violations"] == [
        {
            "rule": "public",
            "resource": "BucketIAMMember everyone",
            "what": "is granted to allUsers",
        }
    ]
    assert found["resources"] > 15
