"""What tests share: studies, spines, models, a browser and a cluster to try things on."""
