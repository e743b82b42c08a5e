"""One person's anatomy: sampled sizes, shapes and what surrounds the spine."""
