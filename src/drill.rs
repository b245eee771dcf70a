//! Drives a service from outside and keeps a ledger of what truly happened.
