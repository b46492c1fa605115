"""From a spec, or a checkpoint, to a finished run. Runs on the engine; most of it imports Keras."""
