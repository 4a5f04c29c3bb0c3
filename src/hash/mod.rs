//! The digests that the services ask for.
