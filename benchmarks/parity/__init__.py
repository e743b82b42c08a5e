"""Parity with SPINEPS: one program, `make parity`."""
