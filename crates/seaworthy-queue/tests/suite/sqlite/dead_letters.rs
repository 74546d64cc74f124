use std::path::Path;

use seaworthy_queue::Headers;
use seaworthy_queue::sqlite::SqliteStore;
use seaworthy_queue::store::{DeadLetters, NewJob, Settlement};

use super::{Directory, accept, counts, id, job, one, settled};
use crate::dead_letters::{Code, run};

/// What the tool said, and how it ended.
async fn asked(store: &str, words: &[&str]) -> (Code, String, String) {
    let arguments: Vec<String> = [store].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let code = run(&arguments, &mut out, &mut errors).await;
    (code, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// QU-43: the tool lists the dead of any kind and body, shows them, and redrives and drops those that it is told to;
/// one that is not dead is told, and keeps nothing from being done to the others.
#[tokio::test]
async fn dead_letters_by_hand() {
    let directory = Directory::new();
    let engine = directory.engine().await;
    let mut headers = Headers::default();
    headers.insert("tenant", "acme").unwrap();
    for (number, body) in ["{\"cents\":[1,2]}", "\u{1b}[2J", "7", "8"].into_iter().enumerate() {
        let kind = format!("kind-{number}").into();
        let body = body.as_bytes().to_vec().into();
        accept(&engine, &[NewJob { kind, body, headers: headers.clone(), ..job(&format!("j{number}")) }]).await;
        let (holder, _) = one(&engine).await;
        let reason = format!("no luck\nwith {number}").into();
        assert!(settled(&engine, &holder, &Settlement::Dead { reason }).await.is_yes());
    }
    let store = url(&directory.file());

    let (code, out, errors) = asked(&store, &["numbers", "list"]).await;
    assert_eq!((code, out.lines().count(), &*errors), (Code::Done, 4, "4 dead letters in numbers\n"), "{out}");
    let last = out.lines().last().unwrap();
    assert!(last.starts_with("j3  kind-3  1 attempts  ") && last.ends_with(" ago  no luck\\nwith 3"), "{last}");

    let (code, out, errors) = asked(&store, &["numbers", "show", "j0", "nobody", "j1"]).await;
    assert_eq!((code, &*errors), (Code::Failed, "dead_letters: nobody: is no dead letter\n"));
    for shown in ["id:        j0\n", "header:    tenant: acme\n", "\"cents\": [\n", "id:        j1\n"] {
        assert!(out.contains(shown), "{shown:?} in {out}");
    }
    assert!(out.contains("4 bytes that are no JSON: \\x1b[2J") && !out.contains('\u{1b}'), "{out}");

    assert_eq!(asked(&store, &["numbers", "drop", "j0", "j0"]).await.0, Code::Failed, "there is one of it");
    let (code, out, _) = asked(&store, &["numbers", "redrive", "j1"]).await;
    assert_eq!((code, &*out), (Code::Done, "j1 is back in the queue\n"));
    let (code, out, _) = asked(&store, &["numbers", "redrive", "--all", "--per-second", "1000"]).await;
    assert_eq!((code, &*out), (Code::Done, "2 are back in the queue\n"));

    let (code, out, errors) = asked(&store, &["numbers", "list"]).await;
    assert_eq!((code, &*out, &*errors), (Code::Done, "", "0 dead letters in numbers\n"));
    assert_eq!(counts(&engine).await, (3, 0, 0, 0), "one was dropped");
    assert!(engine.get(&id("j0")).await.unwrap().is_none());
}

/// QU-43: whoever asks wrongly is told how to ask, and nothing has been done; a store that is not there is an error,
/// and is not made. What is in a URL is not told.
#[tokio::test]
async fn asked_wrongly() {
    let directory = Directory::new();
    let store = url(&directory.file());
    for words in [
        &[][..],
        &["numbers"],
        &["numbers", "bury"],
        &["numbers", "list", "all"],
        &["numbers", "show"],
        &["numbers", "redrive"],
        &["numbers", "redrive", "j 1"],
        &["numbers", "redrive", "--all", "j1"],
        &["numbers", "redrive", "--all", "--per-second"],
        &["numbers", "redrive", "--all", "--per-second", "0"],
        &["numbers", "drop", "--all"],
    ] {
        let (code, out, errors) = asked(&store, words).await;
        assert_eq!((code, &*out), (Code::Usage, ""), "{words:?}");
        assert!(errors.starts_with("dead_letters: ") && errors.contains("\nusage: "), "{words:?}: {errors}");
    }
    for place in ["sqlite:", "sqlite://", "mysql://root:hunter2@host/jobs", "jobs.db"] {
        let (code, _, errors) = asked(place, &["numbers", "list"]).await;
        assert_eq!(code, Code::Usage, "{place}");
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    let (code, out, errors) = asked(&store, &["numbers", "list"]).await;
    assert_eq!((code, &*out), (Code::Failed, ""));
    assert!(errors.starts_with("dead_letters: there is no file "), "{errors}");
    assert!(!directory.file().exists());
    std::fs::write(directory.file(), "not a database, however long it is looked at".repeat(100)).unwrap();
    assert!(SqliteStore::open(directory.file()).await.is_err());
    let (code, out, errors) = asked(&store, &["numbers", "list"]).await;
    assert_eq!((code, &*out, errors.lines().count()), (Code::Failed, "", 1), "{errors}");
    let (code, out, errors) = asked("--help", &[]).await;
    assert_eq!((code, &*errors), (Code::Done, ""));
    assert!(out.starts_with("usage: "));
}
