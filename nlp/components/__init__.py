"""One file a component of the pipeline, each declaring what it requires and assigns."""
