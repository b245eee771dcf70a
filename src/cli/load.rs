//! `firedrill load URL...`.
