//! What the page weighs and takes. These have the machine to themselves where it counts, so they go one at a time.

mod first_paint;
mod hour;
