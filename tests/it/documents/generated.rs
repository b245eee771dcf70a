//! What `cargo xtask gen` writes is as it would write it now, and is what the program prints.

use crate::support::process::Process;
use crate::support::repository;

#[test]
fn what_is_generated_is_fresh() {
    let stale: Vec<_> = xtask::generated().into_iter().filter(|file| !file.is_fresh()).collect();
    let stale: Vec<_> = stale.iter().map(|file| file.path).collect();
    assert!(stale.is_empty(), "{stale:?}: run `cargo xtask gen`");
}

#[tokio::test]
async fn the_schemas_are_those_that_the_program_prints() {
    for (command, file) in
        [("check", "docs/drill-files.schema.json"), ("judge", "docs/run-files.schema.json")]
    {
        let printed = Process::start(&[command, "--schema"]).ended().await;
        assert_eq!((printed.code, &*printed.stderr), (Some(0), ""));
        assert!(printed.stdout == repository::read(file), "firedrill {command} --schema is not {file}");
    }
}
