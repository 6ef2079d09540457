//! What a worker does with the hooks of its own file: it applies them when it starts and when the file changes. A file
//! that is wrong is told and changes nothing, so the hooks of the last good one stay.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use zerodb_hooks_queries::{Notice, connect_and_hear};

use crate::apply::{Applied, ApplyError, apply};
use crate::file::HookFile;
use crate::mistake::Mistakes;
use crate::wish::Wish;

/// Between two looks at the file, and before a database that was not there is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// A worker's file whose hooks are applied.
pub struct Followed {
    pub url: String,
    pub path: PathBuf,
    /// The name by which hooks remember the file.
    pub source: String,
    /// Delete the hooks that the file has made and no longer has.
    pub prune: bool,
}

/// Applies the hooks of a file whenever it is another than before; its first look is at once. Ends with the future.
pub async fn follow(followed: Followed) -> Infallible {
    let mut done: Option<Vec<u8>> = None;
    let mut trouble = Trouble::default();
    loop {
        match tokio::fs::read(&followed.path).await {
            Ok(bytes) if done.as_ref() == Some(&bytes) => trouble = Trouble::default(),
            Ok(bytes) => {
                if look(&followed, &bytes, done.is_none(), &mut trouble).await {
                    done = Some(bytes);
                }
            }
            Err(error) => trouble.tell(format!(
                "{} cannot be read, its hooks stay: {error}",
                followed.path.display()
            )),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is in the way, told once and not at each look.
#[derive(Default)]
struct Trouble(String);

impl Trouble {
    fn tell(&mut self, what: String) {
        if self.0 != what {
            tracing::error!("{what}");
            self.0 = what;
        }
    }
}

/// Whether the file is dealt with; if not, it is tried again.
async fn look(followed: &Followed, bytes: &[u8], is_first: bool, trouble: &mut Trouble) -> bool {
    let name = followed.path.display().to_string();
    let file = HookFile::parse(&name, bytes);
    if !file.mistakes.is_empty() {
        tell(&Mistakes::new(&file.name, file.mistakes));
        return true;
    }
    if !file.has_hooks {
        return true;
    }
    let (mut client, notices) = match connect_and_hear(&followed.url, "zerodb-hooks worker").await {
        Ok(connected) => connected,
        Err(error) => {
            trouble.tell(format!("the hooks of {name} wait: {error}"));
            return false;
        }
    };
    let wish = Wish {
        source: &followed.source,
        user: None,
        prune: followed.prune,
        adopt: false,
        dry_run: false,
    };
    match apply(&mut client, &file, &wish).await {
        Ok(applied) => {
            report(&name, &applied, is_first);
            for Notice { message, hint, .. } in notices.take() {
                tracing::warn!(hint, "of the hooks of {name} the server says: {message}");
            }
        }
        Err(ApplyError::Mistakes(mistakes)) => tell(&mistakes),
        Err(ApplyError::Query(error)) => {
            let is_refused = error.sqlstate().is_some_and(|code| code.code().starts_with("42"));
            let hint = match is_refused {
                true => {
                    ". A worker that makes hooks needs zerodb.grant_user(role) beside zerodb.grant_worker(role)"
                }
                false => "",
            };
            let why = error.message();
            trouble.tell(format!(
                "the hooks of {name} are not applied, those that are there stay: {why}{hint}"
            ));
            return false;
        }
    }
    true
}

fn tell(mistakes: &Mistakes) {
    tracing::error!("{} is wrong, the hooks that are there stay", mistakes.file);
    for line in mistakes.lines() {
        tracing::error!("{line}");
    }
}

fn report(name: &str, applied: &Applied, is_first: bool) {
    for change in &applied.changes {
        tracing::info!(
            action = change.action.word(),
            event_type = change.event_type,
            hook = change.hook_name,
            "a hook of {name}"
        );
    }
    if is_first || applied.changed() {
        let changed = applied.changes.len();
        tracing::info!(
            "the hooks of {name} are applied: {changed} changed, {} as they were",
            applied.unchanged
        );
    }
    if !is_first {
        tracing::info!("what else {name} says is read when the worker starts");
    }
}
