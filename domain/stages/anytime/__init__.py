"""Holds what may happen at any stage: notes, holds, corrections, access, erasure, moving on."""
