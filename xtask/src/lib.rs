//! The files that are generated, each with what it is generated from.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use firedrill_drill::file::DrillFile;
use firedrill_drill::report::{Report, html};
use firedrill_drill::run::Run;
use schemars::{Schema, schema_for};
use sha2::{Digest as _, Sha256};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A file that nobody edits.
pub struct Generated {
    /// Where it is in the repository.
    pub path: &'static str,
    text: String,
}

/// All of them. Add a line for another one.
#[must_use]
pub fn generated() -> Vec<Generated> {
    let hash = STANDARD.encode(Sha256::digest(html::STYLE));
    [
        ("docs/drill-files.schema.json", json(&DrillFile::schema())),
        ("docs/run-files.schema.json", json(&schema_for!(Run))),
        ("docs/report.schema.json", json(&schema_for!(Report))),
        ("crates/drill/src/report/html/style.sha256", hash),
    ]
    .map(|(path, text)| Generated { path, text })
    .into()
}

impl Generated {
    /// Whether the file holds what would be written.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        fs::read_to_string(Path::new(ROOT).join(self.path)).is_ok_and(|text| text == self.text)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self) -> io::Result<()> {
        fs::write(Path::new(ROOT).join(self.path), &self.text)
    }
}

fn json(schema: &Schema) -> String {
    // A schema sorts its keys where it is serialised.
    serde_json::to_string_pretty(schema).expect("a schema is JSON") + "\n"
}
