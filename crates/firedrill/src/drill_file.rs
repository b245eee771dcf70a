//! Drill files as commands are given them: by path, or `-` for the standard input.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use firedrill_drill::file::{DrillFile, LARGEST, Misread, Problem, environment, locate, problems};
use firedrill_net::Target;

/// The text of a drill file.
pub(super) struct DrillText {
    path: String,
    bytes: Vec<u8>,
}

/// Why a drill file cannot be used: each reason as a line `FILE:LINE:COLUMN: MESSAGE`.
#[derive(Debug)]
pub(super) struct Unusable(Vec<String>);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl From<&str> for DrillText {
    /// A drill that is in the program.
    fn from(text: &str) -> Self {
        Self { path: "the drill that comes with the program".to_owned(), bytes: text.as_bytes().to_owned() }
    }
}

impl DrillText {
    /// Takes a file as it is.
    pub(super) fn open(path: &str) -> io::Result<Self> {
        // One byte more than may be read shows that it is too large; the mark of the byte order is not counted.
        let most = LARGEST as u64 + 4;
        let mut bytes = Vec::new();
        match path {
            "-" => io::stdin().lock().take(most).read_to_end(&mut bytes)?,
            _ => File::open(path)?.take(most).read_to_end(&mut bytes)?,
        };
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// Reads and checks it.
    pub(super) fn read(&self) -> Result<DrillFile, Unusable> {
        let text = self.text().map_err(|misread| self.unusable(vec![misread]))?;
        let file = DrillFile::read(text).map_err(|misread| self.unusable(vec![misread]))?;
        match all_problems(&file) {
            none if none.is_empty() => Ok(file),
            some => Err(self.unusable(locate(text, some))),
        }
    }

    /// What is wrong with a file that was read, with the places.
    pub(super) fn refuse(&self, problems: Vec<Problem>) -> Unusable {
        match self.text() {
            Ok(text) => self.unusable(locate(text, problems)),
            Err(misread) => self.unusable(vec![misread]),
        }
    }

    fn text(&self) -> Result<&str, Misread> {
        str::from_utf8(&self.bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&self.bytes[..error.valid_up_to()]);
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
            Misread {
                line,
                column,
                message: "found bytes that are no UTF-8, expected a drill as text".to_owned(),
            }
        })
    }

    fn unusable(&self, mut misread: Vec<Misread>) -> Unusable {
        misread.sort_by_key(|misread| (misread.line, misread.column));
        let name = if self.path == "-" { "standard input" } else { &self.path };
        Unusable(misread.into_iter().map(|misread| format!("{name}:{misread}")).collect())
    }
}

/// All that is wrong in a file, in what is sent and in what is expected.
fn all_problems(file: &DrillFile) -> Vec<Problem> {
    // Any target will do where the file does not say one, and any seed: neither changes what is wrong.
    let own = file.target.as_deref().and_then(|target| environment::unset(target).ok()?);
    let own = own.and_then(|url| Target::parse(&url).ok());
    let target = own.unwrap_or_else(|| Target::parse("http://localhost").expect("it is a target"));
    let planned = file.plan(0, &target).err().unwrap_or_default();
    problems(file).into_iter().chain(planned).collect()
}
