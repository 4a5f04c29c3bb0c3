//! One append-only file an upload.
