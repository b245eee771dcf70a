//! `firedrill check`: exit codes, and where it says that a file is wrong.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

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
    let said = "plain.yaml: right: 1 phase in 90s, 1 expectation\n\
        byte order.yaml: right: 1 phase in 90s, 1 expectation\n\
        windows.yaml: right: 1 phase in 90s, 1 expectation\n\
        anchors.yaml: right: 3 phases in 3s, 2 expectations\n\
        marked.yaml: right: 1 phase in 90s, 1 expectation\n";
    assert_eq!((ended.code, &*ended.stderr, &*ended.stdout), (Some(0), "", said));
}

#[tokio::test]
async fn what_is_no_drill_is_2_and_is_told_in_one_line() {
    let files = Files::new("none");
    let two = format!("{RIGHT}---\n{RIGHT}");
    let large = format!("{RIGHT}{}", "#".repeat(2 << 20));
    let cases: [(&str, &[u8], &str); 14] = [
        ("empty", b"", "1:1: found nothing, expected a drill: the keys name, phases and expect"),
        ("comment", b"# soon\n", "2:1: found nothing, expected a drill: the keys name, phases and expect"),
        (
            "text",
            b"a drill\n",
            "1:1: found no keys with values, expected a drill: the keys name, phases and expect",
        ),
        (
            "list",
            b"- a drill\n",
            "1:1: found no keys with values, expected a drill: the keys name, phases and expect",
        ),
        (
            "binary",
            b"name: x\n\xc3\xbc\xff\x00\x01",
            "2:2: found bytes that are no UTF-8, expected a drill as text",
        ),
        ("zeros", &[0; 64], "1:1: found no YAML: unexpected character: `\\u{0}'"),
        (
            "tab",
            b"name: x\nphases:\n\tcalm: {}\n",
            "3:2: found no YAML: tabs disallowed within this context (block indentation); expected spaces",
        ),
        (
            "colon",
            b"name: x: y\n",
            "1:8: found no YAML: mapping values are not allowed in this context; a text that has a colon and a space in it needs quotes, and the keys that belong together begin in one column",
        ),
        ("open", b"name: \"x\n", "1:7: found no YAML: unclosed quote"),
        ("alias", b"name: *x\n", "1:7: found an alias (*) of nothing: no anchor (&) before it has its name"),
        ("tag", b"name: !secret x\n", "1:15: found the tag !secret, expected none"),
        ("json", b"{\"nmae\": \"x\"}", "1:2: there is no key \"nmae\" here: did you mean \"name\"?"),
        ("two", two.as_bytes(), "5:1: found a second document, expected one drill a file"),
        ("large", large.as_bytes(), "1:1: found a file of more than 1 MiB, expected a drill"),
    ];
    let paths = cases.map(|(name, bytes, _)| files.write(name, bytes));
    let ended = files.check(&paths).await;
    let expected: Vec<_> = cases.iter().map(|(name, _, says)| format!("{name}:{says}")).collect();
    assert_eq!(ended.stderr.lines().collect::<Vec<_>>(), expected);
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
}

#[tokio::test]
async fn each_problem_of_a_file_is_told_and_other_files_are_checked_all_the_same() {
    let files = Files::new("problems");
    let wrong = "name: x\n\
        expect:\n\
        - alert: A\n  notifies: pager\n\
        - { quantile: 2, within: 5%, during: clam, series: x }\n\
        target: app\n\
        phases:\n  calm: { for: 1s, rate: 1/s, request: { path: / } }\n";
    let paths = [files.write("wrong.yaml", wrong), files.write("right.yaml", RIGHT)];
    let ended = files.check(&paths).await;
    let says = "wrong.yaml:4:13: found notifies of an alert that is not said to fire, expected fires: { during: PHASE, within: 60s } too\n\
        wrong.yaml:5:15: found 2, expected a quantile between 0 and 1, such as 0.99\n\
        wrong.yaml:5:38: there is no phase \"clam\": did you mean \"calm\"?\n\
        wrong.yaml:6:9: expected a URL such as http://app:8080\n";
    assert_eq!(ended.stderr, says);
    assert_eq!((ended.code, &*ended.stdout), (Some(2), "right.yaml: right: 1 phase in 90s, 1 expectation\n"));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_2_and_the_others_are_checked_all_the_same() {
    let files = Files::new("away");
    let directory = files.0.to_str().unwrap().to_owned();
    let ended =
        files.check(&["/nowhere.yaml".to_owned(), directory.clone(), files.write("right.yaml", RIGHT)]).await;
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert!(lines[0].starts_with("firedrill: cannot read /nowhere.yaml: No such file"), "{lines:?}");
    assert!(
        lines[1].starts_with(&format!("firedrill: cannot read {directory}: Is a directory")),
        "{lines:?}"
    );
    assert_eq!((ended.code, &*ended.stdout), (Some(2), "right.yaml: right: 1 phase in 90s, 1 expectation\n"));
}

#[tokio::test]
async fn a_dash_is_the_standard_input() {
    for (text, code, stdout, stderr) in [
        (RIGHT, 0, "-: right: 1 phase in 90s, 1 expectation\n", ""),
        (
            "name: x\nnmae: y\n",
            2,
            "",
            "standard input:2:1: there is no key \"nmae\" here: did you mean \"name\"?\n",
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
