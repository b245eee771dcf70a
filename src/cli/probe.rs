//! `firedrill probe URL`.
