//! Reports of a run that was judged, for people and for programs.
