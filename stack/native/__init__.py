"""Native servers in a folder of the project's: no container engine, no root, nothing changed on the machine."""
