//! docs/run-files.schema.json says what run files are.

use crate::process::Process;

#[tokio::test]
async fn the_schema_is_the_one_that_the_program_prints() {
    let printed = Process::start(&["judge", "--schema"]).ended().await;
    assert!(
        printed.stdout == include_str!("../../../docs/run-files.schema.json"),
        "cargo run -- judge --schema > docs/run-files.schema.json"
    );
}
