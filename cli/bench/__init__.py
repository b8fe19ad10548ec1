"""The benchmark: what an event costs, beside a hand-written loop that does the least that can be done."""
