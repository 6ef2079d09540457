//! Where the lines come from: the ledger of attempts and the log of events, followed over one connection, which is
//! made again when it was lost. Prints nothing on stdout.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;

use super::TailArgs;
use crate::failure::CommandFailure;
use crate::named_hook::no_hook;
use zerodb_hooks_contract::pattern::covers;
use zerodb_hooks_queries::{
    AttemptRecord, Client, EventFeed, EventRecord, Ledger, QueryError, hook_exists, hooks_named,
};

/// Before a database that is gone is asked again.
const PAUSE: Duration = Duration::from_secs(1);

pub enum Found {
    Attempt(AttemptRecord),
    Event(EventRecord),
}

impl Found {
    fn at(&self) -> Timestamp {
        match self {
            Self::Attempt(attempt) => attempt.ended_at,
            Self::Event(event) => event.created_at,
        }
    }
}

pub struct Source {
    client: Client,
    ledger: Ledger,
    feed: Option<EventFeed>,
}

impl Source {
    /// # Errors
    /// Where there is no such hook or type, and those of the connection.
    pub async fn open(args: &TailArgs, since: Option<Timestamp>) -> anyhow::Result<Self> {
        let client = args.database.client("tail").await?;
        let pattern = match (&args.event_type, &args.hook) {
            (Some(event_type), _) => Some(event_type.clone()),
            (None, Some(hook)) => pattern_of(&client, hook).await?,
            (None, None) => None,
        };
        // An unknown hook is an error: its ledger would be silent for ever.
        if let Some(hook) = &args.hook
            && !hook_exists(&client, hook).await?
        {
            return Err(no_hook(hook).into());
        }
        // Also where no event is wanted: the server refuses what is no type and no pattern.
        let feed = match args.events || args.event_type.is_some() {
            true => Some(EventFeed::open(&client, pattern, since).await?).filter(|_| args.events),
            false => None,
        };
        Ok(Self {
            ledger: Ledger::open(&client, args.hook.clone(), since).await?,
            client,
            feed,
        })
    }

    /// Whether more is there to be read at once.
    pub fn is_behind(&self) -> bool {
        self.ledger.is_behind()
    }

    /// What is new and wanted, in the order of time. With `--follow` a connection that was lost is made again, for as
    /// long as that takes. Safe to cancel.
    ///
    /// # Errors
    /// Those of the statements.
    pub async fn look(&mut self, args: &TailArgs) -> anyhow::Result<Vec<Found>> {
        loop {
            match self.read(args).await {
                Ok(found) => return Ok(found),
                Err(error) if args.follow && error.is_passing() => {
                    eprintln!("the database is gone ({}), asking for it again", error.message());
                    self.connect_again(args).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn read(&mut self, args: &TailArgs) -> Result<Vec<Found>, QueryError> {
        let attempts = self.ledger.look(&self.client).await?;
        let wanted = attempts.into_iter().filter(|attempt| is_wanted(args, attempt));
        let mut found: Vec<Found> = wanted.map(Found::Attempt).collect();
        if let Some(feed) = &mut self.feed {
            found.extend(feed.look(&self.client).await?.into_iter().map(Found::Event));
            if feed.has_skipped() {
                eprintln!("more events were written than are read at once: the oldest of them are not shown");
            }
        }
        found.sort_by_key(Found::at);
        Ok(found)
    }

    /// Goes on where the lost connection was.
    async fn connect_again(&mut self, args: &TailArgs) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(PAUSE).await;
            let Ok(client) = args.database.client("tail").await else {
                continue;
            };
            match self.ledger.resume(&client).await {
                Ok(()) => {
                    self.client = client;
                    eprintln!("the database is back");
                    return Ok(());
                }
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error).context("the ledger cannot be read any more"),
            }
        }
    }
}

/// The pattern of the hooks of that name, where it is one.
async fn pattern_of(client: &Client, hook: &str) -> anyhow::Result<Option<String>> {
    let mut found = hooks_named(client, hook)
        .await?
        .into_iter()
        .map(|hook| hook.event_type);
    let Some(first) = found.next() else {
        return Err(no_hook(hook).into());
    };
    match found.all(|other| other == first) {
        true => Ok(Some(first)),
        false => Err(CommandFailure::usage(
            format!("the hooks named {hook:?} are for several event types"),
            "give the id of one, or --type",
        )
        .into()),
    }
}

fn is_wanted(args: &TailArgs, attempt: &AttemptRecord) -> bool {
    let of_type = match (&args.event_type, &attempt.event_type) {
        (None, _) => true,
        (Some(wanted), Some(event_type)) => covers(wanted, event_type),
        (Some(_), None) => false,
    };
    of_type && args.state.is_none_or(|state| state.word() == attempt.outcome)
}
