"""The fields a tuning job's messages have, by proto name, and who may send them."""

INPUTS = frozenset(
    {
        "base_model",
        "pre_tuned_model",
        "supervised_tuning_spec",
        "tuned_model_display_name",
        "description",
        "labels",
        "encryption_spec",
        "service_account",
    }
)
BETA_INPUTS = frozenset({"output_uri", "custom_base_model", "evaluation_config"})
OTHER_METHODS = frozenset(
    {
        "distillation_spec",
        "distillation_sampling_spec",
        "full_fine_tuning_spec",
        "partner_model_tuning_spec",
        "preference_optimization_spec",
        "reinforcement_tuning_spec",
        "veo_lora_tuning_spec",
        "veo_tuning_spec",
    }
)
# A client may send back what it read; the service overwrites it.
OUTPUTS = frozenset(
    {
        "name",
        "state",
        "create_time",
        "start_time",
        "end_time",
        "update_time",
        "error",
        "experiment",
        "tuned_model",
        "tuning_data_stats",
        "tuning_job_state",
        "tuning_job_metadata",
        "evaluate_dataset_runs",
        "gcs_metrics_uri",
        "pipeline_job",
        "satisfies_pzi",
        "satisfies_pzs",
    }
)
SPEC = frozenset(
    {
        "training_dataset_uri",
        "validation_dataset_uri",
        "hyper_parameters",
        "export_last_checkpoint_only",
        "evaluation_config",
    }
)
HYPER_PARAMETERS = frozenset({"epoch_count", "learning_rate_multiplier", "adapter_size"})
OPEN_MODEL_HYPER_PARAMETERS = frozenset({"learning_rate", "batch_size"})
