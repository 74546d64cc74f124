//! Programs that answer and end, within a limit.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a program wrote, or why there is nothing.
pub(crate) fn output(command: &mut Command, limit: Duration) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program} does not start: {error}"))?;
    // Both are read while it runs: a pipe that is full would stop it.
    let written = read_to_end(child.stdout.take());
    let complained = read_to_end(child.stderr.take());
    let success = wait(&mut child, limit);
    let (written, complained) = (written.join().unwrap_or_default(), complained.join().unwrap_or_default());
    match success {
        Some(true) => Ok(written),
        Some(false) => Err(format!("{program}: {}{}", complained.trim_end(), written.trim_end())),
        None => Err(format!("{program} has not ended after {limit:?}: {}", complained.trim_end())),
    }
}

fn read_to_end(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until then is all that there is to say.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether it ended well; None if it had to be killed.
fn wait(child: &mut Child, limit: Duration) -> Option<bool> {
    let until = Instant::now() + limit;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status.success());
        }
        if Instant::now() >= until {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<String, String> {
        output(Command::new("sh").args(["-c", script]), limit)
    }

    #[test]
    fn a_program_answers_fails_or_takes_too_long() {
        assert_eq!(sh("echo yes", Duration::from_secs(10)), Ok("yes\n".to_owned()));
        assert_eq!(sh("echo no >&2; exit 3", Duration::from_secs(10)), Err("sh: no".to_owned()));
        // More than a pipe holds.
        let much = sh("head -c 300000 /dev/zero", Duration::from_secs(10)).expect("it ends");
        assert_eq!(much.len(), 300_000);
        let hung = sh("exec sleep 60", Duration::from_millis(50)).expect_err("it hangs");
        assert!(hung.contains("has not ended"), "{hung}");
        let missing = output(&mut Command::new("/nowhere/at-all"), Duration::from_secs(1)).expect_err("not there");
        assert!(missing.contains("/nowhere/at-all does not start"), "{missing}");
    }
}
