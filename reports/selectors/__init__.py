"""The standard reports: read-only, by month, one row per currency and never two added up."""
