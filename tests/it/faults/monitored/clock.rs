//! Clocks that are set while a drill runs.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;

use super::rig::{PHASES, Rig};
use crate::support::directory::Directory;
use crate::support::draws::Draws;

const SECOND: Duration = Duration::from_secs(1);

/// The clock of one program, which can be set; the time that passes is the same for it.
struct Clock(Directory);

impl Clock {
    fn off_by(offset: &str) -> Self {
        let clock = Self(Directory::new("clock"));
        clock.set(offset);
        clock
    }

    fn set(&self, offset: &str) {
        // In one step: whoever reads it meanwhile must not find it empty.
        self.0.write("new", offset);
        std::fs::rename(self.0.path().join("new"), self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    /// What makes a program read this clock.
    fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", crate::sabotage::libfaketime().to_str().unwrap().to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().to_str().unwrap().to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

/// A drill whose own clock goes from one offset to another at a moment that is drawn.
async fn drills_clock_set(from: &str, to: &str, words: &str) {
    let mut draws = Draws::of("drill's clock");
    let rig = Rig::start().await;
    let clock = Clock::off_by(from);
    let variables = clock.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut drill = rig.begin_with(1, &[], &variables);
    drill.reaches("calm").await;
    sleep(draws.between(SECOND, PHASES - SECOND)).await;
    clock.set(to);
    let findings = drill.ended().await;
    findings.inconclusive(&["scrapes", "counts", "HighErrorRatio fires"], words);
    findings.is_inconclusive();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus, Alertmanager and libfaketime, takes minutes"]
async fn the_drills_put_forward() {
    drills_clock_set("+0s", "+40s", "the drill's own clock was put forward by").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus, Alertmanager and libfaketime, takes minutes"]
async fn the_drills_put_right_so_that_it_looks_right_when_evidence_is_asked_for() {
    drills_clock_set("-40s", "+0s", "the drill's own clock was put forward by").await;
    drills_clock_set("+40s", "+0s", "the drill's own clock was put back by").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus, Alertmanager and libfaketime, takes minutes"]
async fn the_pagers_put_right_after_it_rang() {
    let mut draws = Draws::of("pager's clock");
    let clock = Clock::off_by("-40s");
    let variables = clock.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let rig = Rig::start_with(Directory::new("prometheus-data"), "", &variables).await;
    let mut drill = rig.begin(1);
    drill.reaches("recovery").await;
    sleep(draws.between(Duration::ZERO, SECOND * 4)).await;
    clock.set("+0s");
    let findings = drill.ended().await;
    let about = ["HighErrorRatio notifies pager", "counts"];
    findings.inconclusive(&about, "the clock of the pager was put forward by");
    findings.is_inconclusive();
}
