"""Program: settings, then components, then the stack's outputs."""

import pulumi

from infra import delivery, encryption, guardrails, results
from infra.apis import Apis
from infra.identity import Identities
from infra.protection import Protection
from infra.settings import load
from infra.storage import TuningBucket

settings = load()
tuned_models = results.tuned_models(settings)  # first: nothing is changed if it cannot be read

more_apis = guardrails.apis(settings) + (delivery.APIS if settings.github else ())
more_apis += encryption.APIS if settings.kms_key else ()
apis = Apis("apis", settings.project, more_apis)
after_apis = pulumi.ResourceOptions(depends_on=apis)
keyed = [encryption.Encryption("encryption", settings, after_apis)] if settings.kms_key else []
after_key = pulumi.ResourceOptions(depends_on=[apis, *keyed])
tuning = TuningBucket("tuning", settings, after_key)
identities = Identities("identities", settings, tuning.bucket, after_apis)
made: list[pulumi.Resource] = [apis, *keyed, tuning, identities]
if settings.alert_email or settings.budgeted:
    made.append(guardrails.Guardrails("guardrails", settings, tuning.bucket, after_apis))
if settings.github:
    pipeline = delivery.Delivery(
        "delivery", settings.project, settings.github, identities, after_apis
    )
    made.append(pipeline)
    pulumi.export("workload_identity_provider", pipeline.provider.name)
Protection("protection", settings.deletion_protection, made)

pulumi.export("bucket", tuning.bucket.name)
pulumi.export("region", settings.region)
pulumi.export("serving_location", settings.serving)
pulumi.export(
    "service_accounts", {"tuner": identities.tuner.email, "planner": identities.planner.email}
)
pulumi.export("guardrails", guardrails.said(settings))
pulumi.export("simulated", settings.emulator)
pulumi.export("tuned_models", tuned_models)
