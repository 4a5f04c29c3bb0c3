//! The whole public surface, once.
