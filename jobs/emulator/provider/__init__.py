"""Provider: Google Cloud resources of a Pulumi stack, for the emulator and nothing else."""
