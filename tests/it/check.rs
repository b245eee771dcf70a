//! `firedrill check`: exit codes, and where it says that a file is wrong.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::support::process::{Ended, Process};

const RIGHT: &str =
    "name: x\nphases: { calm: { for: 90s, rate: 1/s, work: {} } }\nexpect: [{ nothing_else: fires }]\n";

/// Files of one test, gone with it.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What the check of these files says, their directory left out.
    async fn check(&self, paths: &[String]) -> Ended {
        let arguments: Vec<_> = ["check"].into_iter().chain(paths.iter().map(String::as_str)).collect();
        let mut ended = Process::start(&arguments).ended().await;
        for said in [&mut ended.stdout, &mut ended.stderr] {
            *said = said.replace(&format!("{}/", self.0.display()), "");
        }
        ended
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[tokio::test]
async fn files_that_are_right_are_0() {
    let files = Files::new("right");
    let byte_order = format!("\u{feff}{RIGHT}");
    let windows = RIGHT.replace('\n', "\r\n");
    let anchors = "name: x\nphases:\n  calm: &calm { for: 1s, rate: 1/s, work: {} }\n  again: *calm\n  more: { <<: *calm, rate: 2/s }\nexpect:\n  - nothing_else: fires\n  - { quantile: 0.5, within: 5%, series: a{job=\"b\"} }\n".replace("a{job=\"b\"}", "'a{job=\"b\"}'");
    let marked = format!("---\n{RIGHT}...\n");
    let paths = [
        files.write("plain.yaml", RIGHT),
        files.write("byte order.yaml", byte_order),
        files.write("windows.yaml", windows),
        files.write("anchors.yaml", anchors),
        files.write("marked.yaml", marked),
    ];
    let ended = files.check(&paths).await;
    let said = "plain.yaml: valid: 1 phase in 1 min 30 s, 1 expectation\n\
        byte order.yaml: valid: 1 phase in 1 min 30 s, 1 expectation\n\
        windows.yaml: valid: 1 phase in 1 min 30 s, 1 expectation\n\
        anchors.yaml: valid: 3 phases in 3 s, 2 expectations\n\
        marked.yaml: valid: 1 phase in 1 min 30 s, 1 expectation\n";
    assert_eq!((ended.code, &*ended.stderr, &*ended.stdout), (Some(0), "", said));
}

#[tokio::test]
async fn what_is_no_drill_is_1_and_is_told_once() {
    let files = Files::new("none");
    let two = format!("{RIGHT}---\n{RIGHT}");
    let large = format!("{RIGHT}{}", "#".repeat(2 << 20));
    let cases: [(&str, &[u8]); 15] = [
        ("empty", b""),
        ("comment", b"# soon\n"),
        ("text", b"a drill\n"),
        ("list", b"- a drill\n"),
        ("binary", b"name: x\n\xc3\xbc\xff\x00\x01"),
        ("zeros", &[0; 64]),
        ("tab", b"name: x\nphases:\n\tcalm: {}\n"),
        ("colon", b"name: x: y\n"),
        ("open", b"name: \"x\n"),
        ("alias", b"name: *x\n"),
        ("tag", b"name: !secret x\n"),
        ("twice", b"name: x\nname: y\n"),
        ("json", b"{\"nmae\": \"x\"}"),
        ("two", two.as_bytes()),
        ("large", large.as_bytes()),
    ];
    let paths = cases.map(|(name, bytes)| files.write(name, bytes));
    let ended = files.check(&paths).await;
    assert_snapshot!(ended.stderr);
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
}

#[tokio::test]
async fn each_problem_of_a_file_is_told_and_other_files_are_checked_all_the_same() {
    let files = Files::new("problems");
    let wrong = "name: x\n\
        expect:\n\
        - alert: A\n  notifies: pager\n\
        - { quantile: 2, within: 5%, during: clam, series: x }\n\
        target: app\n\
        phases:\n  calm: { for: 1s, rate: 1/s, request: { path: / } }\n  pause: { for: 0s }\n";
    let paths = [files.write("wrong.yaml", wrong), files.write("right.yaml", RIGHT)];
    let ended = files.check(&paths).await;
    assert_snapshot!(ended.stderr);
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(1), "right.yaml: valid: 1 phase in 1 min 30 s, 1 expectation\n")
    );
}

#[tokio::test]
async fn a_drill_of_wrong_files_shows_the_same_and_is_2() {
    let files = Files::new("drill");
    let wrong = files.write("wrong.yaml", RIGHT.replace("1/s", "fast"));
    let missing = files.write("missing.yaml", RIGHT);
    let ended =
        Process::start(&["drill", "--out", files.0.to_str().unwrap(), &wrong, &missing]).ended().await;
    assert_snapshot!(ended.stderr.replace(&format!("{}/", files.0.display()), ""));
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_2_and_the_others_are_checked_all_the_same() {
    let files = Files::new("away");
    let directory = files.0.to_str().unwrap().to_owned();
    let others = [files.write("right.yaml", RIGHT), files.write("wrong.yaml", "- a drill\n")];
    let ended =
        files.check(&[vec!["/nowhere.yaml".to_owned(), directory.clone()], others.to_vec()].concat()).await;
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert!(lines[0].starts_with("firedrill: cannot read /nowhere.yaml: No such file"), "{lines:?}");
    assert!(
        lines[1].starts_with(&format!("firedrill: cannot read {directory}: Is a directory")),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("wrong.yaml:1:1: "), "{lines:?}");
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(2), "right.yaml: valid: 1 phase in 1 min 30 s, 1 expectation\n")
    );
}

#[tokio::test]
async fn a_dash_is_the_standard_input() {
    for (text, code, stdout, stderr) in [
        (RIGHT, 0, "-: valid: 1 phase in 1 min 30 s, 1 expectation\n", ""),
        (
            "name: x\nnmae: y\n",
            1,
            "",
            "standard input:2:1: unknown key `nmae`: did you mean `name`?\n  |\n2 | nmae: y\n  | ^^^^\n",
        ),
    ] {
        let (read, mut write) = std::io::pipe().unwrap();
        // It is far smaller than what a pipe holds, so nobody has to read while it is written.
        write.write_all(text.as_bytes()).unwrap();
        drop(write);
        let ended = Process::start_on(Stdio::from(read), &["check", "-"], &[]).ended().await;
        assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(code), stdout, stderr));
    }
}

#[tokio::test]
async fn without_a_file_it_says_what_it_takes() {
    let ended = Process::start(&["check"]).ended().await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("<FILE>"), "{}", ended.stderr);
}

/// As on a disk that is full, where CI writes its log.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn problems_that_cannot_be_printed_leave_the_exit_code_as_it_is() {
    let files = Files::new("full");
    let wrong = files.write("wrong.yaml", "name: x\n");
    for (path, code) in [(wrong.as_str(), 1), ("/nowhere.yaml", 2)] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_firedrill"));
        let status = command.args(["check", path]).stderr(full).status().await.unwrap();
        assert_eq!(status.code(), Some(code), "{path}");
    }
}
