//! Order: one upload as a state machine, pure and deterministic.
