"""Model folders, judged before anything is allocated: nothing here imports torch, and every refusal is one sentence."""
