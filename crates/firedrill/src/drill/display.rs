//! How far drills have come: a bar each on a terminal, lines elsewhere. On stderr, so that the report can be piped.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tokio::time::interval;

use crate::complain;
use firedrill_contract::display;
use firedrill_drill::conduct::Stage;
use firedrill_load::plan::Plan;
use firedrill_net::sanitize::sanitize;

/// Shows the progress of several drills. A clone is the same one.
#[derive(Clone)]
pub(super) struct Display {
    bars: Option<MultiProgress>,
}

/// How often a bar moves.
const TICK: Duration = Duration::from_millis(200);

impl Display {
    pub(super) fn new() -> Self {
        Self { bars: stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Does something else with the terminal, the bars out of its way.
    pub(super) fn suspend<T>(&self, other: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(other),
            None => other(),
        }
    }

    /// Shows one drill until it is over.
    pub(super) async fn follow(self, name: String, plan: Plan, mut stages: watch::Receiver<Stage>) {
        let bar = self.bars.as_ref().map(|bars| bars.add(bar(&name)));
        let mut ticks = interval(TICK);
        let mut last = String::new();
        loop {
            let stage = stages.borrow_and_update().clone();
            match &bar {
                Some(bar) => {
                    if let Stage::Sending(progress) = &stage {
                        let whole = plan.lasts().unwrap_or_default().as_millis();
                        bar.set_length(u64::try_from(whole).unwrap_or(u64::MAX));
                        bar.set_position(u64::try_from(progress.elapsed().as_millis()).unwrap_or(u64::MAX));
                    }
                    bar.set_message(sanitize(&words(&stage, &plan, true)));
                }
                None => {
                    let line = words(&stage, &plan, false);
                    if line != last {
                        complain(&format!("{name}: {line}"));
                        last = line;
                    }
                }
            }
            tokio::select! {
                changed = stages.changed() => if changed.is_err() { break },
                _ = ticks.tick() => {}
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12.bold} {bar:24} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())
}

/// What a stage is, in a few words; with what changes all the time only where that can be shown.
fn words(stage: &Stage, plan: &Plan, moving: bool) -> String {
    match stage {
        Stage::Asking => "asking whether everything is there".to_owned(),
        Stage::Quieting(what) => format!("waiting for {what}"),
        Stage::Waiting(_, what) => what.clone(),
        Stage::Sending(progress) => {
            let phases = plan.phases();
            let phase = phases.get(progress.phase()).map_or("", |phase| &phase.name);
            let left = plan.lasts().unwrap_or_default().saturating_sub(progress.elapsed());
            let left = display::duration(Duration::from_secs(left.as_secs()));
            if moving {
                format!("{phase}, {left} left, {} requests", progress.ended())
            } else {
                let number = progress.phase() + 1;
                format!("phase {number} of {}, {phase}", phases.len())
            }
        }
    }
}
