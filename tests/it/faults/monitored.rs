//! A drill goes on while what it rests on is hit, at moments that are drawn.
//!
//! Each test has a service, Prometheus, Alertmanager and pager of its own (`rig`), with a wire between each two of
//! them that can be slow, silent or cut (`support::wire`), and one drill of half a minute. A thread beside the test's own carries
//! what goes over wires, so that nothing that the test does holds it up. What was evidence in
//! full is told; what was not is no "held"; and a second drill, after the fault, holds without a hand.

mod clock;
mod disk;
mod findings;
mod grafana;
mod killed;
mod network;
mod rig;
