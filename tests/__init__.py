"""Tests. Names are claims."""
