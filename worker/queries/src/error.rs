//! What went wrong with a statement, told apart by SQLSTATE and never by a text.

use std::error::Error;

use tokio_postgres::error::SqlState;

/// An error of a statement, or an answer that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct QueryError(#[from] tokio_postgres::Error);

impl QueryError {
    /// The SQLSTATE that the server gave; `None` when it gave no answer, or one that cannot be read here.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        self.0.code()
    }

    /// Whether the server is gone, or takes nobody now: it may come back.
    pub fn is_passing(&self) -> bool {
        match self.0.code() {
            Some(code) => matches!(code.code().get(..3), Some("57P" | "080" | "533")),
            None => self.0.is_closed() || self.0.as_db_error().is_none(),
        }
    }

    /// What the server says, or why there is no answer of it.
    pub fn message(&self) -> String {
        self.0
            .as_db_error()
            .map_or_else(|| self.0.to_string(), |answer| answer.message().to_owned())
    }
}

/// What an error that ended a piece of work says to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explanation {
    /// The connection ended, or was cut.
    ConnectionLost,
    /// The server refused a statement.
    Refused {
        /// Of its error.
        sqlstate: SqlState,
        /// In the server's words.
        message: String,
        /// The server's hint, where it gave one.
        hint: Option<String>,
    },
    /// Anything else, with its causes on one line.
    Other {
        /// A text that repeats is left out.
        message: String,
    },
}

impl Explanation {
    /// What happened, in one line.
    pub fn message(&self) -> &str {
        match self {
            Self::ConnectionLost => "the connection to the database was lost",
            Self::Refused { message, .. } | Self::Other { message } => message,
        }
    }
}

/// Finds the error of a statement among the causes of any error.
pub fn explain(error: &(dyn Error + 'static)) -> Explanation {
    let other = || Explanation::Other {
        message: chain(error),
    };
    let Some(database) = causes(error).find_map(of_statement) else {
        return other();
    };
    if database.is_closed() {
        return Explanation::ConnectionLost;
    }
    let Some(answer) = database.as_db_error() else {
        return other();
    };
    Explanation::Refused {
        sqlstate: answer.code().clone(),
        message: answer.message().to_owned(),
        hint: answer.hint().map(str::to_owned),
    }
}

fn of_statement<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a tokio_postgres::Error> {
    let read = cause.downcast_ref::<QueryError>().map(|QueryError(error)| error);
    read.or_else(|| cause.downcast_ref())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The causes on one line, a text that repeats left out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in causes(error).map(ToString::to_string) {
        if !texts.iter().any(|earlier| earlier.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}
