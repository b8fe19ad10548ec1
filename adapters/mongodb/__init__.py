"""MongoDB: the state, behind one adapter that runs on motor and on PyMongo's own asynchronous client."""
