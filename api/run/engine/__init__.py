"""The worker process: it nudges cases, carries out effects, restores loops and looks at everything each night."""
