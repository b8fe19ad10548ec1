"""Cronofy's endpoints. Each is a plain function from a `Call` to a `Reply`; `front` stands before all of them."""
