"""Alert rules, the dashboard and the runbooks."""
