//! The disk under Prometheus is full for a while.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::time::sleep;

use super::killed::SILENCE;
use super::rig::{PHASES, Rig};
use crate::support::directory::Directory;
use crate::support::draws::Draws;

const SECOND: Duration = Duration::from_secs(1);

/// A file system of its own, so small that it can be filled. Unmounted when dropped.
struct SmallDisk(Directory);

impl SmallDisk {
    fn mount() -> Self {
        let at = Directory::new("small-disk");
        run("mount", &["-t", "tmpfs", "-o", "size=48m", "tmpfs"], at.path());
        Self(at)
    }

    /// Writes until there is no room for one byte more.
    fn fill(&self) -> Filler<'_> {
        let mut file = File::create(self.0.path().join("filler")).unwrap();
        for part in [64 << 10, 1] {
            while file.write_all(&vec![0; part]).is_ok() {}
        }
        Filler(self)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whatever still has files open on it must not keep it.
        run("umount", &["--lazy"], self.0.path());
    }
}

/// What fills a disk, until it is dropped.
struct Filler<'a>(&'a SmallDisk);

impl Drop for Filler<'_> {
    fn drop(&mut self) {
        std::fs::remove_file(self.0.0.path().join("filler")).unwrap();
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) {
    let done = Command::new(program).args(arguments).arg(path).status().unwrap();
    assert!(done.success(), "{program}: {done}; only root may mount");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs root, to mount a small disk, and Prometheus and Alertmanager on PATH, takes minutes"]
async fn full_under_prometheus_is_never_silence_and_passes_without_a_hand() {
    let mut draws = Draws::of("disk full");
    let disk = SmallDisk::mount();
    let rig = Rig::start_with(Directory::below(disk.0.path(), "data"), "", &[]).await;
    let mut drill = rig.begin(1);
    drill.reaches("calm").await;
    sleep(draws.between(SECOND, PHASES - SECOND * 12)).await;
    let full = disk.fill();
    sleep(draws.between(SECOND * 9, SECOND * 11)).await;
    drop(full);
    let findings = drill.ended().await;
    findings.inconclusive(&SILENCE, "nothing was scraped for");
    findings.inconclusive(&["scrapes"], "nothing was scraped for");
    rig.has_recovered().await;
    drop(rig);
    drop(disk);
}
