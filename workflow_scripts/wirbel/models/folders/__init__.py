"""Check model folders before anything is allocated: without torch, and every refusal is one sentence."""
