//! What a drill leaves behind: its run file, its reports, and what a person reads.

use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Conducted;
use super::uuencode::uuencode;
use crate::complain;
use crate::terminal::Terminal;
use firedrill_drill::judge::Verdict;
use firedrill_drill::report::junit::junit;
use firedrill_drill::report::text::{Look, word};
use firedrill_drill::report::{Report, Written};
use firedrill_drill::run::Run;

pub(crate) struct Output {
    directory: PathBuf,
    look: Look,
    print_files: bool,
}

/// What a drill writes: NAME.run.json and the reports.
const EXTENSIONS: [&str; 4] = ["run.json", "json", "xml", "html"];

impl Output {
    pub(crate) fn new(directory: &Path, verbose: bool) -> anyhow::Result<Self> {
        let shown = directory.display();
        fs::create_dir_all(directory).with_context(|| {
            format!("cannot create {shown} for run files and reports; --out names another place")
        })?;
        Ok(Self { directory: directory.to_owned(), look: look(verbose), print_files: false })
    }

    /// Whether each drill's files are printed as well, after what is said of it.
    pub(super) fn print_files(self, print_files: bool) -> Self {
        Self { print_files, ..self }
    }

    /// Refuses drills, or their run files, that would write the same files.
    pub(crate) fn names<'a>(&self, files: &str, names: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => bail!(
                "two {files} are called {}: both would write {}",
                pair[0],
                self.path(pair[0], "html").display()
            ),
            None => Ok(()),
        }
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{name}.{extension}"))
    }

    /// Writes the run file and then the reports of a drill, and says what came of it.
    pub(super) fn say(&self, name: &str, again: &str, conducted: Conducted) -> anyhow::Result<Verdict> {
        let run = match conducted {
            Ok(run) => run,
            Err(why) => {
                complain(&format!("firedrill: {name}: inconclusive: {why}"));
                return Ok(Verdict::Inconclusive);
            }
        };
        let file = self.path(name, "run.json");
        write(&file, &serde_json::to_string(&run)?)?;
        let report = super::report(&run);
        let written = self.reports(name, &run, &report, &file, Some(again.to_owned()))?;
        print(&report.text(&written, self.look))?;
        if self.print_files {
            for extension in EXTENSIONS {
                let text = read(&self.path(name, extension))?;
                print(&uuencode(&format!("{name}.{extension}.gz"), &text)?)?;
            }
        }
        Ok(report.verdict)
    }

    /// Writes the reports of a run that is kept in this file, and says what was written.
    pub(crate) fn reports(
        &self,
        name: &str,
        run: &Run,
        report: &Report,
        file: &Path,
        again: Option<String>,
    ) -> anyhow::Result<Written> {
        write(&self.path(name, "json"), &report.json())?;
        write(&self.path(name, "xml"), &junit(std::slice::from_ref(report)))?;
        let page = self.path(name, "html");
        let shown = |path: &Path| Some(path.display().to_string());
        let written = Written { run: shown(file), html: shown(&page), again };
        write(&page, &report.html(run, &written))?;
        Ok(written)
    }

    /// What came of several drills together.
    pub(super) fn sum(&self, done: &[(String, Verdict)]) -> anyhow::Result<()> {
        if done.len() < 2 {
            return Ok(());
        }
        let width = done.iter().map(|(_, verdict)| word(*verdict).len()).max().unwrap_or_default();
        let mut lines = String::from("\n");
        for (name, verdict) in done {
            lines += &format!("{:width$}   {name}\n", word(*verdict));
        }
        print(&lines)
    }
}

/// How a report looks where it is printed.
pub(crate) fn look(verbose: bool) -> Look {
    let Terminal { width, colour } = Terminal::at(stdout());
    Look { width, colour, verbose }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {} again", path.display()))
}

pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the report")
}
