"""The work: a pure core that decides, a shell that orders effects, and one composition root."""
