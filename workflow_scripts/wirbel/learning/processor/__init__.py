"""Networks computed by OpenVINO on a processor, instead of by torch."""
