//! Integration tests: the real program, real sockets.
