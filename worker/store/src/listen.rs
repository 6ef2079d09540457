//! The listening connection: it receives wake-ups and holds the locks by which writers know whether to send them. It is
//! never in a transaction and always drained, so it never holds back vacuum.

use std::time::{Duration, Instant};

use futures_util::stream::poll_fn;
use futures_util::{FutureExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::unconstrained;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Connection};

use super::connect::{SESSION, Target};
use super::error::StoreError;
use super::statements::{CHANNEL, LEAD, PARK, UNPARK};
use super::store::{Store, answered};

/// So many wake-ups within a pause are a flood; such a pause is then between two readings.
const FLOOD: u32 = 16;
const PAUSE: Duration = Duration::from_millis(5);

/// The answer to parking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// They do: a last look, then sleep.
    Yes,
    /// A commit is still under way: look again and try again.
    Busy,
    /// Another worker is the one that parks; it wakes this one when there is more than it can take.
    Follower,
}

pub struct Listener {
    client: Client,
    notifications: mpsc::Receiver<()>,
    leads: bool,
    parked: bool,
}

impl Store {
    /// Connects and listens.
    pub async fn listen(&self, park_timeout: Duration) -> Result<Listener, StoreError> {
        let target = Target::parse(self.url(), "zerodb-hooks listener")?;
        let (client, connection) = target.config.connect(target.tls).await?;
        // One waiting wake-up says all: more are dropped, and the channel closes when the connection ends.
        let (wakes, notifications) = mpsc::channel(1);
        #[expect(
            clippy::disallowed_methods,
            reason = "the driver of a connection ends with its client"
        )]
        tokio::spawn(drive(connection, wakes));
        client.batch_execute(SESSION).await?;
        let timeout = format!("{}ms", park_timeout.as_millis());
        client
            .execute(
                "SELECT pg_catalog.set_config('lock_timeout', $1, false)",
                &[&timeout],
            )
            .await?;
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        Ok(Listener {
            client,
            notifications,
            leads: false,
            parked: false,
        })
    }
}

/// Reads what the server sends, for as long as the connection lives, and passes wake-ups on. Where they come in a
/// flood they are read together: one for all of them is enough, and each by itself costs processor time. None is ever
/// left to the server's queue.
async fn drive<S, T>(mut connection: Connection<S, T>, wakes: mpsc::Sender<()>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut messages = poll_fn(move |context| connection.poll_message(context));
    let (mut since, mut count) = (Instant::now(), 0);
    while let Some(Ok(message)) = messages.next().await {
        if !matches!(message, AsyncMessage::Notification(_)) {
            continue;
        }
        let _full = wakes.try_send(());
        if since.elapsed() > PAUSE {
            (since, count) = (Instant::now(), 0);
        }
        count += 1;
        if count < FLOOD {
            continue;
        }
        tokio::time::sleep(PAUSE).await;
        let mut more = false;
        loop {
            match unconstrained(messages.next()).now_or_never() {
                Some(Some(Ok(_))) => more = true,
                Some(_) => return,
                None => break,
            }
        }
        if more {
            let _full = wakes.try_send(());
        }
        (since, count) = (Instant::now(), if more { FLOOD } else { 0 });
    }
}

impl Listener {
    /// Asks writers to notify. The caller must look for events once more before it waits.
    pub async fn park(&mut self) -> Result<Parked, StoreError> {
        if !self.leads {
            self.leads = answered(self.client.query_one(LEAD, &[])).await?.try_get(0)?;
            if !self.leads {
                return Ok(Parked::Follower);
            }
        }
        if self.parked {
            return Ok(Parked::Yes);
        }
        let parking = async {
            match self.client.query_one(PARK, &[]).await {
                Ok(_) => Ok(true),
                Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.parked = answered(parking).await?;
        Ok(if self.parked { Parked::Yes } else { Parked::Busy })
    }

    /// Tells writers that there is no need to notify.
    pub async fn unpark(&mut self) -> Result<(), StoreError> {
        if self.parked {
            self.parked = false;
            answered(self.client.query_one(UNPARK, &[])).await?;
        }
        Ok(())
    }

    /// True while writers notify.
    pub fn is_parked(&self) -> bool {
        self.parked
    }

    /// The caller looks now: the wake-ups so far are heeded with that.
    pub fn forget_wake_ups(&mut self) {
        let _none = self.notifications.try_recv();
    }

    /// Waits for a wake-up. Safe to cancel.
    ///
    /// # Errors
    /// `Unavailable` when the connection has ended.
    pub async fn notified(&mut self) -> Result<(), StoreError> {
        let ended = || StoreError::Unavailable {
            reason: "the listening connection ended".into(),
        };
        self.notifications.recv().await.ok_or_else(ended)
    }

    /// Asks the server for an answer, so that a connection that was cut silently is noticed.
    pub async fn check(&self) -> Result<(), StoreError> {
        answered(self.client.batch_execute("")).await
    }
}
