//! `firedrill completions` and `man`: what is said of the program is made of the program.

use crate::support::process::{Ended, Process};

async fn said(arguments: &[&str]) -> Ended {
    // However wide the terminal is that the tests run on.
    Process::start_with(arguments, &[("COLUMNS", "100")]).ended().await
}

#[tokio::test]
async fn bash_takes_the_completions_and_offers_a_commands_flags() {
    let script = said(&["completions", "bash"]).await;
    assert_eq!(script.code, Some(0), "{script:?}");
    // As bash does it when somebody types `firedrill drill --prom` and asks for more.
    let asks = "source /dev/stdin; COMP_WORDS=(firedrill drill --prom) COMP_CWORD=2; _firedrill firedrill --prom drill; echo \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash")
        .args(["-c", asks])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), script.stdout.as_bytes()).unwrap();
    let offered = String::from_utf8(bash.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(offered.trim(), "--prometheus --prometheus-credentials-file");
}

#[tokio::test]
async fn help_says_what_there_is() {
    let commands =
        ["serve", "drill", "judge", "check", "load", "forward", "pager", "probe", "completions", "man"];
    let program = said(&["--help"]).await;
    insta::assert_snapshot!("help", program.stdout);
    let listed = program.stdout.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let listed: Vec<_> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    for command in commands {
        assert!(listed.contains(&command), "{command} is not listed: {listed:?}");
        insta::assert_snapshot!(format!("help_{command}"), said(&[command, "--help"]).await.stdout);
    }
}

#[tokio::test]
async fn a_page_says_what_help_says() {
    for arguments in [&["man"][..], &["man", "probe"]] {
        let page = said(arguments).await.stdout.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(arguments.join("_"), page);
    }
    let ended = said(&["man", "dril"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("there is no command \"dril\": expected one of serve, drill, "),
        "{ended:?}"
    );
}
