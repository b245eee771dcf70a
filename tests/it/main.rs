//! Behaviour from outside: the program as a process, and its parts over real sockets.

mod load;
mod peer;
mod probe;
mod process;
